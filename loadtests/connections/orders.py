"""What the conductor tells a holder, and a holder the conductor: MessagePack, each with its length before it."""

import asyncio
from typing import Final

import msgspec

from loadtests.facts import Facts, Usage
from loadtests.timeline import Timeline

_HEAD: Final = 4
_LONGEST: Final = 1 << 31
"""The facts of a long run."""


class Setup(msgspec.Struct, tag=True):
    """The first order: who is to be held."""

    name: str
    """Of the holder."""
    run: str
    """Begins the names of rooms and messages: no other run has them."""
    index: int
    count: int
    """Of holders: their paces take turns."""
    first: int
    """The number of the first connection."""
    tokens: list[str]
    """One for each connection."""
    urls: list[str]
    sources: list[str]
    room_size: int
    connect_rate: float
    """Of this holder, a second."""


class Rate(msgspec.Struct, tag=True):
    """So many messages a second from now on, of this holder."""

    messages: float


class Close(msgspec.Struct, tag=True):
    """Send nothing new. What was not acknowledged is still sent again."""


class Finish(msgspec.Struct, tag=True):
    """Hand over the facts, hang up, and end."""


Order = Setup | Rate | Close | Finish


class Report(msgspec.Struct, tag=True):
    """Every second."""

    timeline: Timeline
    """Of the seconds that are over."""
    usage: Usage
    connected: int
    """In their rooms."""
    settled: bool


class Done(msgspec.Struct, tag=True):
    """The last report."""

    facts: Facts


Told = Report | Done

_encoder: Final = msgspec.msgpack.Encoder()
_orders: Final = msgspec.msgpack.Decoder(Order)
_told: Final = msgspec.msgpack.Decoder(Told)


def packed(thing: Order | Told) -> bytes:
    """To be written."""
    data = _encoder.encode(thing)
    return len(data).to_bytes(_HEAD, "big") + data


async def next_order(reader: asyncio.StreamReader) -> Order | None:
    """None: there will be no more. Raises `msgspec.MsgspecError`."""
    data = await _read(reader)
    return None if data is None else _orders.decode(data)


async def next_told(reader: asyncio.StreamReader) -> Told | None:
    """None: there will be no more. Raises `msgspec.MsgspecError`."""
    data = await _read(reader)
    return None if data is None else _told.decode(data)


async def _read(reader: asyncio.StreamReader) -> bytes | None:
    try:
        size = int.from_bytes(await reader.readexactly(_HEAD), "big")
        return await reader.readexactly(size) if size < _LONGEST else None
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
