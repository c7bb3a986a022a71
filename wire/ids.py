"""Identifiers: what a room, user or message may be called."""

from typing import Annotated

import msgspec

ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}\Z"
"""One safe NATS subject token: no dot, wildcard, space or control character can enter a subject through an id.

``\\Z`` and not ``$``: ``$`` would admit a trailing newline.
"""

Id = Annotated[str, msgspec.Meta(pattern=ID_PATTERN)]

_PRIVATE_PREFIXES = ("g-", "d-")


def is_private_room(room: str) -> bool:
    """Whether `room` is a group or a direct conversation: made by the auth service, and only for its members."""
    return room.startswith(_PRIVATE_PREFIXES)
