"""Packets of Engine.IO and Socket.IO that are none, or not the client's to send."""

import json
from typing import Final

from tests.abuse.rows import Send, named, packets
from tests.abuse.stranger import Stranger
from tests.conformance.raw import BINARY, frame

_ONE: Final = '421["leave",{"room":"r"}]'
_CLOSED: Final = "closed 1000"
_PLACEHOLDER: Final = '["event",{"room":"r","name":"n","data":{"_placeholder":true,"num":0}}]'


def _before_connect(*sent: str) -> Send:
    """Nobody was let in yet."""

    async def send(stranger: Stranger) -> str:
        async with stranger.shaken() as socket:
            for each in sent:
                socket.send(each)
            return await socket.end()

    return send


def _connects(auth: str) -> Send:
    """Asks to be let in with this text; what the answer is."""

    async def send(stranger: Stranger) -> str:
        async with stranger.shaken() as socket:
            socket.send("40" + auth)
            return await socket.verdict()

    return send


async def _connects_twice_at_once(stranger: Stranger) -> str:
    async with stranger.shaken() as socket:
        for _ in range(2):
            socket.send("40" + json.dumps({"token": await stranger.token()}))
        return await socket.end()


async def _leaves_and_speaks(stranger: Stranger) -> str:
    async with stranger.socket() as socket:
        socket.send("41")
        socket.send(_ONE)
        return await socket.end()


ROWS: Final = named(
    {
        "a packet of no type": (packets("x"), _CLOSED),
        "packet type 7": (packets("7"), _CLOSED),
        "an OPEN from a client": (packets('0{"sid":"x"}'), _CLOSED),
        "a PING from a client": (packets("2probe"), _CLOSED),
        "an UPGRADE of what is a WebSocket": (packets("5"), _CLOSED),
        "a NOOP": (packets("6"), "open"),
        "two packets in one message": (packets(f"{_ONE}\x1e{_ONE}"), "invalid, open"),
        "a MESSAGE without a packet": (packets("4"), _CLOSED),
        "a Socket.IO packet of no type": (packets("4x"), _CLOSED),
        "Socket.IO packet type 9": (packets("49"), _CLOSED),
        "a refusal from a client": (packets('44{"message":"no"}'), _CLOSED),
        "an EVENT without anything": (packets("42"), _CLOSED),
        "an EVENT that is an object": (packets('421{"join":1}'), _CLOSED),
        "an EVENT that is a text": (packets('421"join"'), _CLOSED),
        "an EVENT without a name": (packets("421[]"), "invalid, open"),
        "an EVENT whose name is a number": (packets('421[1,{"room":"r"}]'), "invalid, open"),
        "an EVENT whose name is an object": (packets('421[{"$gt":""},{}]'), "invalid, open"),
        "an EVENT whose name is null": (packets("421[null]"), "invalid, open"),
        "an EVENT that stops": (packets('421["join",{"room":"r"'), "invalid, open"),
        "an EVENT with two arguments": (packets('421["leave",{"room":"r"},{"room":"r"}]'), "invalid, open"),
        "the event connect": (packets('421["connect",{},{"token":"forged"}]'), "invalid, open"),
        "the event disconnect": (packets('421["disconnect","transport close"]'), "invalid, open"),
        "the event disconnect without an id": (packets('42["disconnect"]'), "open"),
        "the event __proto__": (packets('421["__proto__",{}]'), "invalid, open"),
        "an event of the server": (packets('421["message",{"room":"well","seq":1,"body":"x"}]'), "invalid, open"),
        "an ack id of ten digits": (packets('429999999999["leave",{"room":"r"}]'), "ok, open"),
        "an ack id of a hundred digits": (packets("42" + "9" * 100 + '["leave",{"room":"r"}]'), _CLOSED),
        "an ack id below zero": (packets('42-1["leave",{"room":"r"}]'), _CLOSED),
        "an ack id in other digits": (packets('42\u0664["leave",{"room":"r"}]'), _CLOSED),
        "an ack for nothing": (packets("43123[]"), "open"),
        "an ack without an id": (packets("43[]"), "open"),
        "an ack of a hundred digits": (packets("43" + "9" * 100 + "[]"), "open"),
        "nesting of 5,000": (packets("421" + "[" * 5_000 + "]" * 5_000), "invalid, open"),
        "nesting of 5,000 objects": (
            packets('421["leave",{"room":' + '{"a":' * 5_000 + "1" + "}" * 5_002 + "]"),
            "invalid, open",
        ),
        "nesting of 30,000 that stops": (packets("421" + "[" * 30_000), "invalid, open"),
        "NaN": (packets('421["history",{"room":"well","limit":NaN}]'), "invalid, open"),
        "Infinity": (packets('421["history",{"room":"well","limit":-Infinity}]'), "invalid, open"),
        "1e999": (packets('421["history",{"room":"well","limit":1e999}]'), "invalid, open"),
        "a key twice": (packets('421["leave",{"room":"q","room":"r"}]'), "ok, open"),
        "a key twice, wrong at first": (packets('421["leave",{"room":"*","room":"r"}]'), "invalid, open"),
        "a key twice, wrong at last": (packets('421["leave",{"room":"r","room":"*"}]'), "invalid, open"),
        "attachments promised and never sent": (packets(f"451-1{_PLACEHOLDER}"), _CLOSED),
        "attachments promised without number": (packets(f"4599999999999-1{_PLACEHOLDER}"), _CLOSED),
        "attachments without end": (packets(f"451-1{_PLACEHOLDER}", *[frame(BINARY, b"x" * 60_000)] * 100), _CLOSED),
        "a binary EVENT without attachments": (packets('450-["leave",{"room":"r"}]'), _CLOSED),
        "a binary ack": (packets('461-1[{"_placeholder":true,"num":0}]'), _CLOSED),
        "a placeholder in an event": (packets(f"421{_PLACEHOLDER}".replace('"r"', '"well"')), "not_joined, open"),
        "another namespace's event": (packets('42/admin,1["leave",{"room":"r"}]'), _CLOSED),
        "another namespace's disconnect": (packets("41/admin,"), "open"),
        "a CONNECT to another namespace behind the first": (packets('40/admin,{"token":"x"}'), _CLOSED),
        "a second CONNECT": (packets('40{"token":"x"}'), _CLOSED),
        "two CONNECTs at once": (_connects_twice_at_once, _CLOSED),
        "an event behind a DISCONNECT": (_leaves_and_speaks, _CLOSED),
        "an event before CONNECT": (_before_connect(_ONE), _CLOSED),
        "an ack before CONNECT": (_before_connect("431[]"), _CLOSED),
        "attachments before CONNECT": (_before_connect(f"451-1{_PLACEHOLDER}"), _CLOSED),
        "a DISCONNECT before CONNECT": (_before_connect("41", _ONE), _CLOSED),
        "a CONNECT to another namespace": (_connects("/admin,{}"), "refused"),
        "a CONNECT to a namespace of 60,000 characters": (_connects(f"/{'a' * 60_000},{{}}"), "refused"),
        "a CONNECT to a namespace with a NUL": (_connects("/\0,{}"), "refused"),
        "a CONNECT without anything": (_connects(""), "refused unauthorized"),
        "a CONNECT with what is no JSON": (_connects("{token}"), _CLOSED),
        "a CONNECT with NaN": (_connects('{"token":NaN}'), _CLOSED),
        "a CONNECT with a list": (_connects('["token"]'), "refused unauthorized"),
        "a CONNECT with a text": (_connects('"token"'), "refused unauthorized"),
        "a CONNECT nested 5,000 deep": (_connects('{"token":' * 5_000 + "1" + "}" * 5_000), _CLOSED),
        "a CONNECT with half a character": (_connects('{"token":"\\ud800"}'), _CLOSED),
        "a CONNECT that wants another's session back": (
            _connects('{"token":"x","recover":true,"pid":"*","offset":">"}'),
            "refused unauthorized",
        ),
    }
)
