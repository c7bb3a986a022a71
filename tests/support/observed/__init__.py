"""A small load in which everything happens that dashboards show, and a Prometheus that sees it."""
