"""Values that are none, in events of somebody who was let in, and text that is one and looks dangerous."""

import json
from typing import Any, Final

from tests.abuse.rows import ROOM, Row, Send
from tests.abuse.stranger import Stranger
from tests.support.stacks import unique

_SEQS: Final[dict[str, Any]] = {
    "-1": -1,
    "2^63": 1 << 63,
    "a hundred digits": int("9" * 100),
    "a fraction": 1.5,
    "a text": "10",
    "true": True,
    "an operator": {"$gt": ""},
    "a list": [1],
}
_LIMITS: Final[dict[str, Any]] = {**_SEQS, "10^9": 10**9, "0": 0, "null": None, "201": 201}
_READ: Final[dict[str, Any]] = {**_SEQS, "null": None}
_BODIES: Final[dict[str, tuple[Any, str]]] = {
    "nothing": ("", "invalid"),
    "null": (None, "invalid"),
    "a number": (1, "invalid"),
    "an operator": ({"$gt": ""}, "invalid"),
    "16 KiB and one": ("x" * 16_385, "too_large"),
    "16 KiB and one in bytes": ("é" * 8_193, "too_large"),
}
_DATA: Final[dict[str, tuple[Any, str]]] = {
    "16 KiB and one": ("x" * 16_383, "too_large"),
    "65 deep": (json.loads("[" * 65 + "]" * 65), "invalid"),
}
_DELIVERED: Final = {
    "control characters": "".join(map(chr, range(32))) + "\x7f\x80\x9f",
    "escapes for a terminal": "\x1b]0;owned\x07\x1b[2J",
    "a forged line of a log": '\n{"event":"forged","level":"error","service":"gateway","instance":"gateway-1"}\n',
    "line separators and a byte-order mark": "\ufeff\u2028\u2029\u0085",
    "overrides of direction": "\u202egnp.exe\u2066\u2069",
    "a script": "</script><script>alert(1)</script>",
    "a packet": '42["message",{"room":"well"}]\x1e41',
    "characters beyond the first plane": "\U0001f600\U0010ffff",
    "no characters at all": "\ufffe\uffff\ufdd0",
}


def _calls(event: str, *payloads: dict[str, Any]) -> Send:
    """A member sends events; the codes of the acknowledgements."""

    async def send(stranger: Stranger) -> str:
        async with stranger.member(ROOM) as socket:
            for each in payloads:
                socket.ask(event, {"room": ROOM, **each})
            return await socket.outcome()

    return send


def _reads(**query: Any) -> Send:
    """The same as a query of the API."""

    async def send(stranger: Stranger) -> str:
        path = f"/api/rooms/{ROOM}/messages?" + "&".join(f"{name}={value}" for name, value in query.items())
        return (await stranger.ask("GET", path, token=await stranger.token())).words

    return send


def _delivers(body: str) -> Send:
    """What a member says comes to another as it was said, live and in a page."""

    async def send(stranger: Stranger) -> str:
        async with stranger.member(ROOM) as speaker, stranger.member(ROOM) as listener:
            id = unique("said")
            ack = await speaker.call("message", {"room": ROOM, "id": id, "body": body, "data": {body: body}})
            heard = await listener.hears("message")
            page = await listener.call("history", {"room": ROOM, "limit": 1})
            same = [each["body"] == body and each["data"] == {body: body} for each in (heard, page["messages"][0])]
            return f"{ack['ok']}, {same}"

    return send


async def _same_id_with_another_body(stranger: Stranger) -> str:
    async with stranger.member(ROOM) as socket:
        id = unique("again")
        first, again = [
            await socket.call("message", {"room": ROOM, "id": id, "body": each}) for each in ("one", "two")
        ]
        page = await socket.call("history", {"room": ROOM, "after": first["seq"] - 1})
        kept = [each["body"] for each in page["messages"] if each["id"] == id]
        return f"duplicate {again['duplicate']}, same seq {first['seq'] == again['seq']}, kept {kept}"


async def _reads_what_is_not_there(stranger: Stranger) -> str:
    """A marker that is above all messages would hide what comes."""
    async with stranger.member(ROOM) as socket:
        last = (await socket.call("message", {"room": ROOM, "id": unique("last"), "body": "x"}))["seq"]
        marker = (await socket.call("read", {"room": ROOM, "seq": (1 << 63) - 1}))["seq"]
        return f"put at the last message {marker == last}"


async def _anothers_message_id(stranger: Stranger) -> str:
    async with stranger.member(ROOM) as one, stranger.member(ROOM) as other:
        message = {"room": ROOM, "id": unique("mine"), "body": "x"}
        first, second = await one.call("message", message), await other.call("message", message)
        return f"duplicate {second['duplicate']}, later {second['seq'] > first['seq']}"


async def _speaks_for_another(stranger: Stranger) -> str:
    async with stranger.member(ROOM) as socket:
        forged = {"from": {"id": "u-admin", "display_name": "admin"}, "user": "u-admin", "seq": 1, "ts": 1, "prev": 1}
        await socket.call("message", {"room": ROOM, "id": unique("forged"), "body": "x", **forged})
        heard = await socket.hears("message")
        return f"heard from {heard['from']['id'].rpartition('-')[0]}, at {heard['seq'] > 1}, {heard['ts'] > 1}"


ROWS: Final = [
    *[Row(f"after: {name}", _calls("join", {"after": seq}), "invalid, open") for name, seq in _SEQS.items()],
    *[Row(f"before: {name}", _calls("history", {"before": seq}), "invalid, open") for name, seq in _SEQS.items()],
    *[Row(f"read: {name}", _calls("read", {"seq": seq}), "invalid, open") for name, seq in _READ.items()],
    *[Row(f"limit: {name}", _calls("history", {"limit": each}), "invalid, open") for name, each in _LIMITS.items()],
    *[Row(f"limit in a query: {each}", _reads(limit=each), "400 invalid") for each in (-1, 10**9, "ten", "", "0")],
    Row("an operator in a query", _reads(**{"before[$gt]": ""}), "200"),
    Row("an operator as a query's value", _reads(before="%7B%22$gt%22:%22%22%7D"), "400 invalid"),
    Row("read: what is not there", _reads_what_is_not_there, "put at the last message True"),
    Row("both ends of a page", _calls("history", {"before": 1, "after": 1}), "invalid, open"),
    *[
        Row(f"body: {name}", _calls("message", {"id": "m", "body": each}), f"{code}, open")
        for name, (each, code) in _BODIES.items()
    ],
    *[
        Row(f"data: {name}", _calls("event", {"name": "n", "data": each}), f"{code}, open")
        for name, (each, code) in _DATA.items()
    ],
    Row("active: 1", _calls("typing", {"active": 1}), "invalid, open"),
    *[Row(f"delivered: {name}", _delivers(body), "True, [True, True]") for name, body in _DELIVERED.items()],
    Row("the same id with another body", _same_id_with_another_body, "duplicate True, same seq True, kept ['one']"),
    Row("another's message id", _anothers_message_id, "duplicate False, later True"),
    Row("a message in another's name", _speaks_for_another, "heard from load, at True, True"),
]
