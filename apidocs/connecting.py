"""How a client connects: what Socket.IO itself carries then, as types."""

import msgspec

from services.gateway.replies import Problem


class ConnectAuth(msgspec.Struct, frozen=True):
    """The `auth` payload of a connection."""

    token: str
    """An access token."""
    recover: bool = False
    """Whether the session shall be kept for two minutes when the connection breaks (for socket.io-client)."""
    pid: str = ""
    """Of the session that is to be recovered: socket.io-client sends it by itself."""
    offset: str = ""
    """Up to where that session's messages have come; as `pid`."""


class Connected(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to a connection that was let in: Socket.IO's own."""

    sid: str
    pid: str = ""
    """The secret name of the session, when it can be recovered."""


class Refusal(msgspec.Struct, frozen=True):
    """`connect_error`: the answer to a connection that was not."""

    message: str
    data: Problem
