"""The whole system: one stack for all of these tests."""
