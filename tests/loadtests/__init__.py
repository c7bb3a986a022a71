"""Whole runs of the load tests, disturbed and cut short, for minutes. `make test-loadtests`, not `make test`."""
