"""Where key sets of external issuers come from: addresses and files."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp import hdrs

from services.auth.jwks import JwksError

Fetch = Callable[[], Awaitable[bytes]]
"""Returns the bytes of a key set, or raises `JwksError`."""

LARGEST: Final = 256 * 1024

_TIMEOUT: Final = aiohttp.ClientTimeout(total=2.5)
"""Less than a gateway waits for an answer."""


def from_file(path: Path) -> Fetch:
    """Reads a file each time."""

    def read() -> bytes:
        try:
            with path.open("rb") as file:
                data = file.read(LARGEST + 1)
        except OSError as error:
            raise JwksError(f"{path}: {error.strerror}") from None
        _check_size(len(data))
        return data

    async def fetch() -> bytes:
        return await asyncio.to_thread(read)

    return fetch


def client() -> aiohttp.ClientSession:
    """What `from_url` needs: keeps no cookies, and unpacks nothing, so that what is read is as large as what came."""
    return aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, timeout=_TIMEOUT)


def from_url(http: aiohttp.ClientSession, url: str) -> Fetch:
    """Gets `url` each time. Redirects are not followed: only this address is trusted."""

    async def fetch() -> bytes:
        headers = {hdrs.ACCEPT_ENCODING: "identity"}
        try:
            async with http.get(url, headers=headers, allow_redirects=False) as response:
                if response.status != 200:
                    raise JwksError(f"{url} answered {response.status}")
                data = bytearray()
                async for part in response.content.iter_any():
                    data += part
                    _check_size(len(data))
                return bytes(data)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise JwksError(f"{url} did not answer: {type(error).__name__}") from None

    return fetch


def _check_size(size: int) -> None:
    if size > LARGEST:
        raise JwksError(f"it is larger than {LARGEST} bytes")
