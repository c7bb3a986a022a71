"""What operators look at: dashboards for Grafana here as code, Prometheus's rules beside them.

`python -m deploy.observability` writes what is made from either.
"""
