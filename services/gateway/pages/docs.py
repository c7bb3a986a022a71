"""What describes the API: two documents and their pages, from `docs/`, as `python -m apidocs` wrote them."""

from http import HTTPStatus
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web

from services.gateway.pages.headers import headers

_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS: Final = headers(_POLICY)
_HTML: Final = "text/html; charset=utf-8"
_YAML: Final = "application/yaml"
_SERVED: Final = {
    "": ("pages/index.html", _HTML),
    "openapi": ("pages/openapi.html", _HTML),
    "asyncapi": ("pages/asyncapi.html", _HTML),
    "style.css": ("pages/style.css", "text/css; charset=utf-8"),
    "openapi.yaml": ("openapi.yaml", _YAML),
    "asyncapi.yaml": ("asyncapi.yaml", _YAML),
}


class DocsPages:
    """Serves files of the folder `root`, and nothing else that is there."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def routes(self) -> list[web.RouteDef]:
        """The table of routes."""
        return [web.get("/docs", self._lead), web.get("/docs/{path:.*}", self._file)]

    async def _lead(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(status=HTTPStatus.PERMANENT_REDIRECT, headers={hdrs.LOCATION: "/docs/"})

    async def _file(self, request: web.Request) -> web.StreamResponse:
        name, kind = _SERVED.get(request.match_info["path"], ("", ""))
        path = self._root / name
        if not name or not path.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(path, headers={**_HEADERS, hdrs.CONTENT_TYPE: kind})
