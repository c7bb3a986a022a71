"""Clients that get their session back, at whichever gateway (ADR 12)."""
