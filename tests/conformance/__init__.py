"""The edge against its protocols: Engine.IO 4, Socket.IO 5 and RFC 6455, and the official clients.

`python -m tests.conformance FOLDER` runs the official suites; the tests here stand for what those check, and more.
"""
