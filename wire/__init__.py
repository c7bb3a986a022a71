"""The contract: everything that crosses a process boundary inside Parley.

Subjects, typed messages, their codec, error codes, and the streams they live in. Nothing here does I/O and nothing
here imports another package of Parley; every service and every test may import it.
"""
