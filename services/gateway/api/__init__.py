"""The HTTP API: its routes, what comes and goes, who asks, and the port that serves it."""
