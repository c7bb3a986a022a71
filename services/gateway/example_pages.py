"""The examples that are pages, from `examples/`: for a look at a local stack, not for the internet."""

from pathlib import Path
from typing import Final

from aiohttp import hdrs, web

from services.gateway.page import HEADERS

_HTML: Final = "text/html; charset=utf-8"
_SCRIPT: Final = "text/javascript; charset=utf-8"
_SERVED: Final = {
    "dashboard/": ("dashboard/index.html", _HTML),
    "dashboard/page.js": ("dashboard/page.js", _SCRIPT),
    "cursors/": ("cursors/index.html", _HTML),
    "cursors/page.js": ("cursors/page.js", _SCRIPT),
    "page.css": ("page.css", "text/css; charset=utf-8"),
}


class ExamplePages:
    """Serves these files of the folder `root`, and nothing else that is there."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def routes(self) -> list[web.RouteDef]:
        """The table of routes."""
        return [web.get("/examples/{path:.*}", self._file)]

    async def _file(self, request: web.Request) -> web.StreamResponse:
        asked = request.match_info["path"]
        if f"{asked}/" in _SERVED:
            raise web.HTTPPermanentRedirect(f"/examples/{asked}/")
        name, kind = _SERVED.get(asked, ("", ""))
        path = self._root / name
        if not path.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(path, headers={**HEADERS, hdrs.CONTENT_TYPE: kind})
