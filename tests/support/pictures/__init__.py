"""Pictures of the dashboards, where Grafana cannot run: drawn from the same panels, queries, units and colours.

A likeness for people to look at, and no test of Grafana. `PICTURES=folder make test
ARGS=tests/integration/test_observability.py` takes them.
"""
