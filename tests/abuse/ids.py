"""Ids that are none, wherever one goes: a room's, a message's, an event's, and in the paths of the API."""

import json
from typing import Any, Final
from urllib.parse import quote

from tests.abuse.rows import ROOM, Row, Send, packets
from tests.abuse.stranger import Stranger

_WRONG: Final[dict[str, Any]] = {
    "a star": "*",
    "a greater-than": ">",
    "a dot": ".",
    "two tokens": "well.message",
    "a wildcard behind a dot": "well.>",
    "spaces": "a b",
    "a space at the end": "well ",
    "CRLF and a NATS command": "well\r\nPUB live.room.well.message 2\r\nhi\r\n",
    "a line end behind it": "well\n",
    "NUL": "we\0ll",
    "an escape": "\x1b[2J",
    "a look-alike letter": "w\u0435ll",
    "full-width letters": "\uff57\uff45\uff4c\uff4c",
    "a zero-width joiner": "we\u200dll",
    "an override of direction": "\u202ewell",
    "a combining accent": "we\u0301ll",
    "other digits": "\u0661\u0662",
    "$SYS": "$SYS",
    "$JS.API": "$JS.API.STREAM.DELETE.MESSAGES",
    "_INBOX with a wildcard": "_INBOX.>",
    "3,000 characters": "a" * 3_000,
    "65 characters": "a" * 65,
    "nothing": "",
    "a path": "../../etc/passwd",
    "percent signs": "%2e%2e",
    "a number": 7,
    "a fraction": 1.5,
    "null": None,
    "true": True,
    "a list": ["well"],
    "an operator": {"$gt": ""},
    "an operator in a list": [{"$ne": None}],
}


def _everywhere(id: Any) -> Send:
    """As a room in every event, as a message's id and as an event's name."""
    rooms: list[tuple[str, dict[str, Any]]] = [
        ("join", {}),
        ("leave", {}),
        ("message", {"id": "m", "body": "x"}),
        ("typing", {"active": True}),
        ("event", {"name": "n", "data": 1}),
        ("presence", {}),
        ("history", {}),
        ("read", {"seq": 1}),
    ]
    calls = [(name, {**payload, "room": id}) for name, payload in rooms]
    calls.append(("message", {"room": ROOM, "id": id, "body": "x"}))
    calls.append(("event", {"room": ROOM, "name": id, "data": 1}))
    calls.append(("dismiss", {"id": id}))

    async def send(stranger: Stranger) -> str:
        async with stranger.member(ROOM) as socket:
            codes = {_code(await socket.call(name, payload)) for name, payload in calls}
            return f"{', '.join(sorted(codes))}; {await socket.outcome()}"

    return send


def _code(ack: Any) -> str:
    return "ok" if ack["ok"] else str(ack["error"]["code"])


def _in_a_path(id: str) -> Send:
    """Reading, and saying something."""

    async def send(stranger: Stranger) -> str:
        path, token = f"/api/rooms/{quote(id, safe='')}/messages", await stranger.token()
        read = await stranger.ask("GET", path, token=token)
        said = await stranger.ask("POST", path, {"id": "m", "body": "x"}, token=token)
        return ", ".join(dict.fromkeys((read.words, said.words)))

    return send


async def _half_a_character(stranger: Stranger) -> str:
    """JSON can name half of a pair; no text has it."""
    return await packets(
        *[f'42{at}["leave",{{"room":"well{half}"}}]' for at, half in enumerate(("\\ud800", "\\udfff"))]
    )(stranger)


async def _allowed(stranger: Stranger) -> str:
    """These look like NATS's own, and are tokens like any other: the subjects have other tokens before and behind."""
    ids = ["_INBOX", "_", "-", "SYS", "message", "constructor", "__proto__", "null", "0", "a" * 64]
    sent = [f"42{at}{json.dumps(['leave', {'room': id}])}" for at, id in enumerate(ids)]
    return await packets(*sent)(stranger)


_IN_PATHS: Final = ("*", ">", ".", "well.>", "a b", "well\r\nX: y", "we\0ll", "w\u0435ll", "$SYS", "a" * 3_000)

ROWS: Final = [
    *[Row(f"an id: {name}", _everywhere(id), "invalid; open") for name, id in _WRONG.items()],
    Row("an id: half a character", _half_a_character, "invalid, invalid, open"),
    Row("ids that are strange and allowed", _allowed, ", ".join(["ok"] * 10 + ["open"])),
    *[Row(f"an id in a path: {id[:10]!a}", _in_a_path(id), "400 invalid") for id in _IN_PATHS],
    Row("an id in a path: a slash", _in_a_path("a/b"), "400 invalid"),
    Row("an id in a path: two dots", _in_a_path(".."), "400 invalid"),
]
