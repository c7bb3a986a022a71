"""How each kind of input is sent, and what comes of it: the words that are counted."""

import asyncio
import contextlib
import json
import random
from collections.abc import Awaitable, Callable
from typing import Final

from tests.abuse.fuzz import grammar
from tests.abuse.fuzz.damage import damaged, pieces
from tests.abuse.line import Line
from tests.abuse.polling import polling
from tests.abuse.stranger import Stranger
from tests.abuse.websocket import Socket
from tests.conformance.raw import TEXT, frame

_PATIENCE_SECONDS: Final = 0.3
"""For an answer: there need be none to what is half there."""

Attack = Callable[[Stranger, random.Random, str], Awaitable[list[str]]]
"""A stranger sends what the dice say, or something with a good token; what came of it."""


async def frames(stranger: Stranger, dice: random.Random, token: str) -> list[str]:
    """Damaged frames, from somebody who was let in."""
    data = b"".join(damaged(dice, grammar.frames(dice), chance=0.15) for _ in range(dice.randrange(1, 20)))
    async with stranger.socket(token=token) as socket:
        return await _words(socket, dice, data)


async def packets(stranger: Stranger, dice: random.Random, token: str) -> list[str]:
    """Whole frames, in which packets are damaged."""
    data = b"".join(
        frame(TEXT, damaged(dice, grammar.bytes_of(grammar.packet(dice)), chance=0.1)[:65_536])
        for _ in range(dice.randrange(1, 40))
    )
    async with stranger.socket(token=token) as socket:
        return await _words(socket, dice, data)


async def strangers(stranger: Stranger, dice: random.Random, token: str) -> list[str]:
    """Packets and frames from somebody who was not let in, and perhaps asks to be."""
    sent = [grammar.frames(dice) for _ in range(dice.randrange(3))]
    sent.insert(0, frame(TEXT, damaged(dice, grammar.bytes_of("40" + grammar.auth(dice, token)), chance=0.3)))
    async with stranger.shaken() as socket:
        return await _words(socket, dice, b"".join(sent))


async def requests(stranger: Stranger, dice: random.Random, token: str) -> list[str]:
    """Damaged requests, some in a row."""
    data = b"".join(damaged(dice, grammar.request(dice, token), chance=0.3) for _ in range(dice.choice((1, 1, 1, 3))))
    async with stranger.line() as line:
        await _send(line, dice, data)
        words = []
        with contextlib.suppress(EOFError, ValueError, IndexError):
            while (word := await _in_time(_status(line))) != "silent":
                words.append(word)
        return words or ["silent or ended"]


async def bodies(stranger: Stranger, dice: random.Random, token: str) -> list[str]:
    """Damaged payloads of somebody who polls."""
    async with polling(stranger, token=token) as session:
        words = []
        for _ in range(dice.randrange(1, 5)):
            payload = "\x1e".join(grammar.packet(dice) for _ in range(dice.randrange(1, 20)))
            words.append(await session.post(damaged(dice, grammar.bytes_of(payload), chance=0.3)[:65_536]))
        return words


ATTACKS: Final[dict[str, Attack]] = {
    "frames": frames,
    "packets": packets,
    "strangers": strangers,
    "requests": requests,
    "bodies": bodies,
}


async def _send(line: Line, dice: random.Random, data: bytes) -> None:
    for each in pieces(dice, data):
        line.send(each)
        await asyncio.sleep(0)
    if dice.random() < 0.1:
        line.hang_up()


async def _words(socket: Socket, dice: random.Random, data: bytes) -> list[str]:
    await _send(socket.line, dice, data)
    how = await _in_time(socket.end())
    return [*socket.answers, "open" if how == "silent" else how.rpartition(", ")[2]]


async def _in_time(work: Awaitable[str]) -> str:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await work
    except TimeoutError:
        return "silent"


async def _status(line: Line) -> str:
    answer = await line.answer()
    with contextlib.suppress(ValueError):
        code = json.loads(answer.body).get("code", "")
        return f"{answer.status} {code}".strip()
    return str(answer.status)
