"""What people write of a route, an event or a subject, beside what the code says.

UndescribedError
"""

from typing import Any, Literal

import msgspec

from wire.errors import ErrorCode


class UndescribedError(Exception):
    """The code has something that nobody has described, or the other way round."""


class Query(msgspec.Struct, frozen=True):
    """What a query or a path may say, as a Struct takes it; those of its fields that the path names are its own."""

    kind: type[msgspec.Struct]
    words: dict[str, str] = {}
    """What each field means."""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP route."""

    tag: str
    summary: str
    text: str = ""
    bearer: tuple[Literal["user", "service"], ...] = ()
    """Whose tokens open it; none: anybody may."""
    scope: str = ""
    """Of a service token."""
    query: Query | None = None
    body: type[msgspec.Struct] | str | None = None
    """A Struct as JSON, or a media type."""
    example: Any = None
    """Of the body."""
    answers: dict[int, tuple[str, type[msgspec.Struct] | str | None]]
    """By status: what it means, and what comes: a Struct as JSON, a media type, or nothing. No problems."""
    codes: tuple[ErrorCode, ...] = ()
    """Of problems, beside those that every route has."""
    also: dict[int, str] = {}
    """Problems with a status that no code has, and what they mean."""
    is_admin: bool = False


class EngineProblem(msgspec.Struct, frozen=True):
    """What Engine.IO says is wrong with a request, in its own words."""

    message: str
    code: int | msgspec.UnsetType = msgspec.UNSET
    """One of the numbers of Engine.IO's protocol."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What a client sends."""

    summary: str
    text: str = ""
    reply: type[msgspec.Struct]
    codes: tuple[ErrorCode, ...] = ()
    """Of refusals, beside those that every event has."""
    example: Any
    answer: Any
    """An example of the acknowledgement."""


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """What a client is sent unasked. `kinds`: one of these."""

    kinds: tuple[type[msgspec.Struct], ...]
    summary: str
    text: str = ""
    example: Any


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A subject of NATS, its parameters in braces, and what is published there."""

    address: str
    names: tuple[str, ...]
    """Of `wire.subjects`: what spells it."""
    kinds: tuple[type[msgspec.Struct], ...] = ()
    """None: what is published is not Parley's own."""
    summary: str
    text: str = ""
    sender: str
    hearers: str
    replies: tuple[type[msgspec.Struct], ...] = ()
    """To whoever asks, beside `Refused`."""
    is_answered: bool = False
    """By something that is not Parley's own."""
