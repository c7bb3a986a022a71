"""The chat page: static files from `web/`, under a strict Content-Security-Policy."""

from pathlib import Path
from typing import Final

from aiohttp import web

from services.gateway.pages.headers import headers

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS: Final = headers(_POLICY)
_SERVED: Final = frozenset({".js", ".css", ".svg", ".map"})
_BUNDLE: Final = "vendor/socket.io.esm.min.js"
_MISSING: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Parley</title>
<h1>The chat page is not built</h1>
<p>This gateway works, but the Socket.IO client that its page needs is missing.</p>
<p>Run <code>make web</code> in the checkout; it needs npm and the network once. Then reload.</p></html>
"""


class ChatPage:
    """Serves the folder `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def routes(self) -> list[web.RouteDef]:
        """`/` and what it loads."""
        return [web.get("/", self._index), web.get("/web/{path:.+}", self._file)]

    async def _index(self, _request: web.Request) -> web.StreamResponse:
        index = self._root / "index.html"
        if not index.is_file() or not (self._root / _BUNDLE).is_file():
            return web.Response(text=_MISSING, content_type="text/html", status=503, headers=HEADERS)
        return web.FileResponse(index, headers=HEADERS)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        path = self._root / request.match_info["path"]
        try:
            path = path.resolve()
            served = path.is_relative_to(self._root) and path.suffix in _SERVED and path.is_file()
        except (OSError, ValueError):  # a name that no file system takes
            served = False
        if not served or "node_modules" in path.parts:
            raise web.HTTPNotFound
        return web.FileResponse(path, headers=HEADERS)
