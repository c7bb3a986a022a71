"""The dashboards, a module each, with a `board()` that returns its JSON."""
