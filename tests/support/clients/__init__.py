"""The four official clients that we know of, behind one face: two of JavaScript's, and Python's two.

`official` is that face, `javascript` and `python` the clients, `parley` how tests of the gateway speak through them.
"""
