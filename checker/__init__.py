"""The checker: whether an acknowledged message reached every member of its room exactly once, in order.

Written apart from the product: it imports nothing of Parley, knows nothing of NATS, and has no I/O and no clock.
Users (`loadtests`) and members under faults (`tests/faults`) write an account by way of `ledger`; `judge` tries to
prove the promise wrong, and `report` says so to people. Millions of deliveries fit: see `received`.
"""
