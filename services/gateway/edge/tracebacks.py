"""Exceptions that outlive their handling, and what hangs on them.

A traceback holds the frames that an exception came through, and these all that was at hand: the request, its body,
what was read from the socket. Where such an exception is kept by one of these things - aiohttp does that with what it
found wrong with a request - they hold each other until Python's collector comes.
"""


def drop(error: BaseException) -> None:
    """Let `error`, and those that led to it, hold on to nothing."""
    each: BaseException | None = error
    while each is not None and each.__traceback__ is not None:
        each.__traceback__ = None
        each = each.__cause__ or each.__context__
