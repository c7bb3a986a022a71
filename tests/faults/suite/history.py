"""The whole history of rooms, as an application reads it."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import aiohttp

from checker.account import Place
from tests.faults.suite.diary import place
from tests.support.waiting import until

_PAGE: Final = 200


async def read(url: str, token: str, rooms: Sequence[str]) -> dict[str, list[Place]]:
    """Of each of `rooms`, from its beginning; again and again while a page is refused."""
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(url, headers=headers) as http:
        return {room: await _read(http, room) for room in rooms}


async def _read(http: aiohttp.ClientSession, room: str) -> list[Place]:
    places: list[Place] = []
    page: dict[str, Any] = {"more": True}

    async def read() -> bool:
        nonlocal page
        after = places[-1].seq if places else 0
        with suppress(aiohttp.ClientError, TimeoutError):
            async with http.get(f"/api/rooms/{room}/messages?after={after}&limit={_PAGE}") as response:
                if response.status == 200:
                    page = await response.json()
                    places.extend(map(place, page["messages"]))
                    return bool(page["messages"]) or not page["more"]
        return False

    while page["more"]:
        await until(read, f"a page of {room}")
    return places
