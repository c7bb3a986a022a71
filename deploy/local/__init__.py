"""The one-machine stack: NATS, a MongoDB-protocol server and the services, as processes of one supervisor.

`make run`, the tests, the benchmarks and the load tests all run this.
"""
