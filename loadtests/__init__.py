"""Load tests: users and connections that measure a system, and an account of every message that they sent.

`python -m loadtests` plays users with Locust: `run` (asyncio: the target, the preflight, the verdict) starts Locust
(gevent), where the `conductor` plays one of the `shapes` with the `users` of one `player` or several.
`python -m loadtests.connections` holds many light connections. Both write down `facts`, which `report` judges, and
`python -m loadtests.verdict` judges again. `loadtests.bench` is another tool: what a unit of work costs.
"""
