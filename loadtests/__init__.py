"""Load tests: chat users on the official client, and an account of every message that they sent.

Locust (`locustfile`) writes down facts; `verdict` judges them, afterwards and in another process.
`python -m loadtests` does both, on a stack of its own or against a running deployment.
"""
