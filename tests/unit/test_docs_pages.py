"""What describes the API, as a gateway serves it: which files, and under which policy."""

from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from apidocs.files import DOCS
from services.gateway.docs_pages import DocsPages


async def _get(path: str, root: Path = DOCS) -> tuple[int, str, str, str]:
    app = web.Application()
    app.add_routes(DocsPages(root).routes())
    async with TestClient(TestServer(app)) as http:
        response = await http.get(path)
        policy = response.headers.get("Content-Security-Policy", "")
        return response.status, response.headers["Content-Type"], policy, await response.text()


@pytest.mark.parametrize(
    ("path", "kind", "begins"),
    [
        ("/docs", "text/html; charset=utf-8", "<!doctype html>"),
        ("/docs/", "text/html; charset=utf-8", "<!doctype html>"),
        ("/docs/openapi", "text/html; charset=utf-8", "<!doctype html>"),
        ("/docs/asyncapi", "text/html; charset=utf-8", "<!doctype html>"),
        ("/docs/style.css", "text/css; charset=utf-8", "/*"),
        ("/docs/openapi.yaml", "application/yaml", "# Written by"),
        ("/docs/asyncapi.yaml", "application/yaml", "# Written by"),
    ],
)
async def test_pages_and_documents_are_served_under_a_strict_policy(path: str, kind: str, begins: str) -> None:
    """No script, no style but the one file, nothing from elsewhere, in nobody's frame."""
    status, found, policy, text = await _get(path)
    assert (status, found) == (200, kind)
    assert text.startswith(begins)
    assert policy.startswith("default-src 'none'; style-src 'self';")
    assert "script-src" not in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    "path",
    ["ARCHITECTURE.md", "adr/0001-history-owns-the-stream.md", "pages/index.html", "pages", "%2e%2e/README.md"],
)
async def test_nothing_else_of_the_folder_is_served(path: str) -> None:
    """The folder holds more than what is for everybody."""
    assert (await _get(f"/docs/{path}"))[0] == 404


async def test_without_the_files_there_is_nothing(tmp_path: Path) -> None:
    """An image without them says so."""
    assert (await _get("/docs/", tmp_path))[0] == 404
