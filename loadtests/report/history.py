"""The rooms' histories, read over HTTP as any client would."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

import aiohttp
import msgspec
import yarl

from checker.account import Account, Place

_PAGE: Final = 200
_PAGES_MOST: Final = 50_000
"""Of one room: ten million messages, which no run comes to."""
_ATTEMPTS: Final = 5
_PAUSE_SECONDS: Final = 1.0
_AT_ONCE: Final = 4
_UNREAD_MOST: Final = 8
"""Rooms that could not be read: the system is away, and no other is tried."""
_UNASKED: Final = "were not asked for any more"
_ANSWER: Final = aiohttp.ClientTimeout(total=15)


def rooms(account: Account) -> list[str]:
    """Those in which a message was acknowledged, or seen by a member."""
    written = {each.room for each in account.acknowledged}
    return sorted(written | {stay.room for stay in account.stays if stay.member and len(stay.received)})


async def read(
    urls: Sequence[str], token: str, names: Iterable[str]
) -> tuple[dict[str, list[Place]], dict[str, str]]:
    """Each room from its beginning; and in words why one could not be read to its end, by room.

    A page that fails is asked for again, of the next gateway; after five failures in a row the room is given up, and
    after some rooms all others.
    """
    troubles: dict[str, str] = {}
    turns = asyncio.Semaphore(_AT_ONCE)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}, timeout=_ANSWER) as session:

        async def one(name: str) -> list[Place]:
            async with turns:
                if len(troubles) >= _UNREAD_MOST:
                    troubles[name] = _UNASKED
                    return []
                places, trouble = await _room(session, urls, name)
                if trouble:
                    troubles[name] = trouble
                return places

        wanted = list(names)
        found = await asyncio.gather(*map(one, wanted))
    return dict(zip(wanted, found, strict=True)), troubles


def said(troubles: Mapping[str, str]) -> list[str]:
    """What could not be read, in lines."""
    tried = {room: why for room, why in troubles.items() if why != _UNASKED}
    further = len(troubles) - len(tried)
    return [
        *(f"the history of {room} could not be read: {why}" for room, why in sorted(tried.items())),
        *([f"the histories of {further} further rooms {_UNASKED}"] if further else []),
    ]


async def _room(session: aiohttp.ClientSession, urls: Sequence[str], name: str) -> tuple[list[Place], str | None]:
    places: list[Place] = []
    failures = 0
    for _ in range(_PAGES_MOST):
        after = places[-1].seq if places else 0
        page = await _page(session, urls[failures % len(urls)], name, after)
        if isinstance(page, str):
            failures += 1
            if failures == _ATTEMPTS:
                return places, page
            await asyncio.sleep(_PAUSE_SECONDS)
            continue
        failures = 0
        places += [Place(each["seq"], each["prev"], each["id"]) for each in page["messages"]]
        if not page["more"] or not page["messages"]:
            return places, None
    return places, f"it has more than {_PAGES_MOST} pages"


async def _page(session: aiohttp.ClientSession, url: str, name: str, after: int) -> dict[str, Any] | str:
    """A page, or why there is none."""
    try:
        asked = {"after": str(after), "limit": str(_PAGE)}
        async with session.get(
            yarl.URL(f"{url.rstrip('/')}/api/rooms/{quote(name, safe='')}/messages", encoded=True), params=asked
        ) as answer:
            if answer.status != 200:
                return f"HTTP {answer.status}"
            page: dict[str, Any] = msgspec.json.decode(await answer.read())
            return page
    except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as error:
        return str(error) or type(error).__name__
