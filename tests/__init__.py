"""Parley's tests: real servers, real processes, the official clients."""
