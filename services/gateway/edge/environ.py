"""The request that opened a session, as a `connect` handler is told of it."""

from collections.abc import Iterator, Mapping
from typing import Final

from aiohttp import web


class Environ(Mapping[str, str]):
    """WSGI's names (PEP 3333), made when somebody asks for one; the request itself is not kept alive."""

    __slots__ = ("_headers", "_made", "_method", "_remote", "_url")

    def __init__(self, request: web.Request, address: str) -> None:
        """`address`: whose request it is."""
        self._headers: Final = request.headers
        self._method: Final = request.method
        self._remote: Final = address
        self._url: Final = request.rel_url
        self._made: dict[str, str] | None = None

    def __getitem__(self, name: str) -> str:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> dict[str, str]:
        if self._made is None:
            self._made = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self._headers.items()}
            self._made["REQUEST_METHOD"] = self._method
            self._made["PATH_INFO"] = self._url.path
            self._made["QUERY_STRING"] = self._url.query_string
            self._made["REMOTE_ADDR"] = self._remote
        return self._made
