"""The chat page's files: what is served, under which policy, and what is said when the page was never built."""

from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from services.gateway.pages.chat import ChatPage


async def _get(root: Path, path: str) -> tuple[int, str, str]:
    app = web.Application()
    app.add_routes(ChatPage(root).routes())
    async with TestClient(TestServer(app)) as http:
        response = await http.get(path)
        return response.status, await response.text(), response.headers.get("Content-Security-Policy", "")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A page with its bundle, and files that are nobody's business."""
    for name in ("index.html", "app.js", "package.json", "vendor/socket.io.esm.min.js", "node_modules/x.js"):
        (tmp_path / "web" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "web" / name).write_text(name)
    (tmp_path / "secret.js").write_text("secret")
    (tmp_path / "web" / "link.js").symlink_to(tmp_path / "secret.js")
    return tmp_path / "web"


async def test_without_its_bundle_the_page_says_what_is_missing(tmp_path: Path) -> None:
    """The gateway works; whoever opens it in a browser is told what to run."""
    (tmp_path / "index.html").write_text("page")
    status, text, _ = await _get(tmp_path, "/")
    assert status == 503
    assert "make web" in text


async def test_the_page_and_its_parts_are_served_under_a_strict_policy(built: Path) -> None:
    """No inline script or style, nothing from elsewhere, in nobody's frame."""
    for path, text in (("/", "index.html"), ("/web/app.js", "app.js")):
        status, served, policy = await _get(built, path)
        assert (status, served) == (200, text)
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "connect-src 'self';" in policy
        assert "unsafe" not in policy


@pytest.mark.parametrize(
    "path", ["package.json", "node_modules/x.js", "link.js", "%2e%2e/secret.js", "none.js", "vendor"]
)
async def test_nothing_else_is_served(built: Path, path: str) -> None:
    """Neither other kinds of files, nor what a link or a path leads out to."""
    status, _, _ = await _get(built, f"/web/{path}")
    assert status == 404
