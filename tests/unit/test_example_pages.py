"""The pages of the examples: which files are served, and under which policy."""

from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from deploy.local.stack import ROOT
from services.gateway.example_pages import ExamplePages


async def _get(root: Path, path: str) -> tuple[int, str]:
    app = web.Application()
    app.add_routes(ExamplePages(root).routes())
    async with TestClient(TestServer(app)) as http:
        response = await http.get(path)
        return response.status, response.headers.get("Content-Security-Policy", "")


@pytest.mark.parametrize(
    "path", ["cursors/", "cursors", "cursors/page.js", "dashboard/", "dashboard", "dashboard/page.js", "page.css"]
)
async def test_pages_are_served(path: str) -> None:
    """Under the strict policy of the chat page."""
    status, policy = await _get(ROOT / "examples", f"/examples/{path}")
    assert status == 200
    assert policy.startswith("default-src 'none'; script-src 'self'")


@pytest.mark.parametrize(
    "path",
    ["", "/", "dashboard/ticker.js", "package.json", "cursors/../package.json", "%2e%2e/README.md", "..%2fREADME.md"],
)
async def test_nothing_else_is(path: str) -> None:
    """Whatever lies in the folder, or beside it."""
    assert (await _get(ROOT / "examples", f"/examples/{path}"))[0] == 404


async def test_without_the_folder_there_are_none(tmp_path: Path) -> None:
    """As in a container image."""
    assert (await _get(tmp_path / "none", "/examples/cursors/"))[0] == 404
