"""What the stock libraries let a peer do, and the edge does not: each guard is tried on both.

A guard is a function that asserts what is safe. It has to pass on the edge, and to fail on the stock stack: so that
it is known to be able to fail.
"""
