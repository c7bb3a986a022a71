"""Private rooms of others, and ids that are none in what is asked of rooms."""

import json
from typing import Any, Final

from tests.abuse.accounts import signed_in
from tests.abuse.rows import Row, Send, named
from tests.abuse.stranger import Stranger

_NOBODY: Final = "401 unauthorized"
_NO_ROOM: Final = "403 forbidden"
_INVALID: Final = "400 invalid"


def _asks(method: str, path: str, body: Any = None) -> Send:
    """With a good token; `{group}` is another's."""

    async def send(stranger: Stranger) -> str:
        owner, other = await signed_in(stranger), await signed_in(stranger)
        group = json.loads((await stranger.ask("POST", "/api/rooms", {"members": []}, token=owner.access)).body)[
            "room"
        ]
        target = path.replace("{group}", group).replace("{me}", other.user)
        return (await stranger.ask(method, target, body, token=other.access)).words

    return send


def _in_anothers_room(event: str, **payload: Any) -> Send:
    """And in one that never was: the answers are the same, to the letter."""

    async def send(stranger: Stranger) -> str:
        owner, other = await signed_in(stranger), await signed_in(stranger)
        group = json.loads((await stranger.ask("POST", "/api/rooms", {"members": []}, token=owner.access)).body)[
            "room"
        ]
        async with stranger.socket(token=other.access) as socket:
            theirs = await socket.call(event, {"room": group, **payload})
            nobodys = await socket.call(event, {"room": "g-" + "0" * (len(group) - 2), **payload})
            return f"{theirs['error']['code']}, the same {theirs == nobodys}"

    return send


ROWS: Final[list[Row]] = named(
    {
        "another's group: joined": (_in_anothers_room("join"), "forbidden, the same True"),
        "another's group: spoken in": (
            _in_anothers_room("message", id="m", body="x"),
            "not_joined, the same True",
        ),
        "another's group: who is there": (_in_anothers_room("presence"), "not_joined, the same True"),
        "another's group: read": (_in_anothers_room("history"), "not_joined, the same True"),
        "another's group: marked as read": (_in_anothers_room("read", seq=1), "not_joined, the same True"),
        "another's group: read over HTTP": (_asks("GET", "/api/rooms/{group}/messages"), _NO_ROOM),
        "another's group: looked at": (_asks("GET", "/api/rooms/{group}"), _NO_ROOM),
        "another's group: renamed": (_asks("PATCH", "/api/rooms/{group}", {"name": "mine"}), _NO_ROOM),
        "another's group: deleted": (_asks("DELETE", "/api/rooms/{group}"), _NO_ROOM),
        "another's group: entered by oneself": (_asks("PUT", "/api/rooms/{group}/members/{me}"), _NO_ROOM),
        "a group that never was": (_asks("GET", "/api/rooms/g-nothing"), _NO_ROOM),
        "a group: a wildcard for an id": (_asks("DELETE", "/api/rooms/g-%3E"), _INVALID),
        "a group: an operator for its members": (_asks("POST", "/api/rooms", {"members": [{"$gt": ""}]}), _INVALID),
        "a group: a wildcard for a member": (_asks("POST", "/api/rooms", {"members": [">"]}), _INVALID),
        "a group: a name with control characters": (
            _asks("POST", "/api/rooms", {"members": [], "name": "a\x1b[2J"}),
            _INVALID,
        ),
        "a conversation: an operator for the other": (_asks("POST", "/api/direct", {"user": {"$ne": ""}}), _INVALID),
        "another's end: without a service token": (_asks("POST", "/api/users/{me}/disconnect"), _NOBODY),
    }
)
