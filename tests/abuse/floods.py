"""Far too much of what is fine one at a time. Each flood ends, and what it took is given back."""

import asyncio
import json
from collections import Counter
from contextlib import AsyncExitStack
from typing import Any, Final

from tests.abuse.rows import MIB, ROOM, Row
from tests.abuse.stranger import PATH, Stranger, request
from tests.support.stacks import unique

_LATER: Final = {"ok", "rate_limited"}
"""Whether one more is taken is for limits to say; that each is answered, for this suite."""


def _said(ack: Any) -> str:
    return "ok" if ack["ok"] else str(ack["error"]["code"])


async def _pipelines_a_thousand_requests(stranger: Stranger) -> str:
    async with stranger.line() as connection:
        connection.send(request("GET", "/metrics").replace("{host}", stranger.host) * 1_000)
        answers = Counter([(await connection.answer()).words for _ in range(1_000)])
        return str(dict(answers))


async def _pipelines_a_thousand_requests_and_reads_nothing(stranger: Stranger) -> str:
    async with stranger.line(receives=4096) as connection:
        connection.send(request("GET", "/metrics").replace("{host}", stranger.host) * 1_000)
        await connection.sent()
        return "left"


async def _connects_and_hangs_up(stranger: Stranger) -> str:
    """A thousand TCP connections, fifty at a time."""
    for _ in range(20):
        async with AsyncExitStack() as stack:
            for _ in range(50):
                await stack.enter_async_context(stranger.line())
    return "left"


async def _holds_five_hundred_connections(stranger: Stranger) -> str:
    async with AsyncExitStack() as stack:
        lines = [await stack.enter_async_context(stranger.line()) for _ in range(500)]
        ends = await asyncio.gather(*(each.rest() for each in lines))
        return f"{sum(each == b'' for each in ends)} ended"


async def _opens_three_hundred_sessions_by_polling(stranger: Stranger) -> str:
    """And never says who it is."""
    async with stranger.line() as connection:
        connection.send(request("GET", f"{PATH}polling").replace("{host}", stranger.host) * 300)
        return str(dict(Counter([(await connection.answer()).words for _ in range(300)])))


async def _shakes_hands_and_hangs_up(stranger: Stranger) -> str:
    """Three hundred WebSockets that are gone before anybody is let in."""
    token = await stranger.token()
    for _ in range(15):
        async with AsyncExitStack() as stack:
            for _ in range(20):
                socket = await stack.enter_async_context(stranger.shaken())
                socket.send("40" + json.dumps({"token": token}))
    return "left"


async def _says_five_hundred_things(stranger: Stranger) -> str:
    async with stranger.member(ROOM) as socket:
        return await _asks(socket, 500, "message", lambda: {"room": ROOM, "id": unique("flood"), "body": "x" * 100})


async def _types_three_hundred_times(stranger: Stranger) -> str:
    async with stranger.member(ROOM) as socket:
        return await _asks(socket, 300, "typing", lambda: {"room": ROOM, "active": True})


async def _reads_three_hundred_times(stranger: Stranger) -> str:
    async with stranger.member(ROOM) as socket:
        seqs = iter(range(300))
        return await _asks(socket, 300, "read", lambda: {"room": ROOM, "seq": next(seqs)})


async def _asks_five_hundred_times_who_is_there(stranger: Stranger) -> str:
    async with stranger.member(ROOM) as socket:
        return await _asks(socket, 500, "presence", lambda: {"room": ROOM})


async def _dismisses_three_hundred_times(stranger: Stranger) -> str:
    async with stranger.socket() as socket:
        return await _asks(socket, 300, "dismiss", lambda: {"id": unique("n")})


async def _joins_five_hundred_rooms(stranger: Stranger) -> str:
    async with stranger.socket() as socket:
        return await _asks(socket, 500, "join", lambda: {"room": unique("flooded")})


async def _errs_three_hundred_times(stranger: Stranger) -> str:
    async with stranger.socket() as socket:
        answers = Counter([_said(await socket.call("nonsense", {})) for _ in range(300)])
        return f"all answered {set(answers) <= {'invalid', 'rate_limited'}}"


async def _errs_at_length(stranger: Stranger) -> str:
    """Each mistake is forgotten once it is answered, with the 60 KB that were in it."""
    async with stranger.socket() as socket:
        payload = {"room": 7, "padding": "x" * 60_000}
        answers = Counter([_said(await socket.call("join", payload)) for _ in range(300)])
        return f"all answered {set(answers) <= {'invalid', 'rate_limited'}}"


async def _posts_to_nobody(stranger: Stranger) -> str:
    """So is each body for a route that is not there."""
    answers = Counter([(await stranger.ask("POST", "/api/nothing", "x" * 60_000)).words for _ in range(500)])
    return str(dict(answers))


async def _asks(socket: Any, count: int, event: str, payload: Any) -> str:
    asked = [socket.ask(event, payload()) for _ in range(count)]
    answers = [_said(await socket.acknowledged(each)) for each in asked]
    return f"{len(answers)} answered, some ok {'ok' in answers}, nothing else {set(answers) <= _LATER}"


async def _signs_in_two_hundred_times(stranger: Stranger) -> str:
    """Side by side; meanwhile tokens are verified as ever, for nothing of that waits for a password."""
    body = {"username": unique("nobody"), "password": stranger.keep_secret(unique("not the password"))}
    flood = asyncio.gather(*(stranger.ask("POST", "/api/login", body) for _ in range(200)))
    verified = 0
    while not flood.done():
        async with stranger.socket():
            verified += 1
    answers = Counter([each.words for each in await flood])
    known = set(answers) <= {
        "401 unauthorized",
        "429 rate_limited",
        "503 unavailable",
    }  # the last where hashing is slow
    return f"{answers.total()} answered, nothing else {known}, others let in meanwhile {verified >= 3}"


_ANSWERED: Final = "answered, some ok True, nothing else True"

ROWS: Final = [
    Row("a thousand requests in a row", _pipelines_a_thousand_requests, "{'404 invalid': 1000}"),
    Row("a thousand requests whose answers nobody reads", _pipelines_a_thousand_requests_and_reads_nothing, "left"),
    Row("a thousand connections that hang up", _connects_and_hangs_up, "left"),
    Row("three hundred WebSockets that hang up", _shakes_hands_and_hangs_up, "left"),
    Row("slow: five hundred messages", _says_five_hundred_things, f"500 {_ANSWERED}", slow=True),
    Row("slow: three hundred times typing", _types_three_hundred_times, f"300 {_ANSWERED}", slow=True),
    Row("slow: asked five hundred times", _asks_five_hundred_times_who_is_there, f"500 {_ANSWERED}", slow=True),
    Row("slow: three hundred read markers", _reads_three_hundred_times, f"300 {_ANSWERED}", slow=True),
    Row("slow: three hundred dismissals", _dismisses_three_hundred_times, f"300 {_ANSWERED}", slow=True),
    Row("slow: three hundred mistakes", _errs_three_hundred_times, "all answered True", slow=True),
    Row("three hundred mistakes of 60 KB", _errs_at_length, "all answered True", grows_most=16 * MIB),
    Row("five hundred bodies of 60 KB for nobody", _posts_to_nobody, "{'404 invalid': 500}", grows_most=16 * MIB),
    Row(
        "two hundred sign-ins at once",
        _signs_in_two_hundred_times,
        "200 answered, nothing else True, others let in meanwhile True",
        grows_most=16 * MIB,
    ),
    Row("slow: five hundred silent connections", _holds_five_hundred_connections, "500 ended", slow=True),
    Row("slow: five hundred rooms", _joins_five_hundred_rooms, f"500 {_ANSWERED}", slow=True),
    Row(
        "slow: three hundred sessions by polling", _opens_three_hundred_sessions_by_polling, "{'200': 300}", slow=True
    ),
]
