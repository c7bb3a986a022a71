"""Every example does what it says, in both languages, against a real stack."""

import asyncio
import os
import re
import shutil
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from deploy.local.ports import HOST, Ports
from deploy.local.stack import ROOT
from tests.support.backends import create
from tests.support.stacks import TestStack, unique
from web import npm

EXAMPLES: Final = ROOT / "examples"
_SECONDS: Final = 60.0
_LANGUAGES: Final = ("js", "py")

PRINTS: Final = {
    "private_conversation/client": [
        "one room for both: yes",
        "Bob reads: Are you there?",
        "Ann reads: Always.",
        "Carol is told: forbidden",
    ],
    "group_chat/client": [
        "Lunch: Ann, Bob",
        "Lunch on Friday: Ann, Bob, Carol",
        "Carol: Pizza?",
        "Carol is out: left",
        "still there: Ann, Bob",
    ],
    "collaboration/client": [
        "Bob is here",
        "together: Ann, Bob",
        "Bob points at 100, 200; he moved 101 times, Ann was told less often",
        "Bob has gone",
    ],
}
"""What each of those that need no other prints."""


async def _command(path: str, language: str) -> list[str]:
    """How the example is started; skips the test where that cannot be."""
    file = str(EXAMPLES / f"{path}.{language}")
    if language == "py":
        return [sys.executable, file]
    node = shutil.which("node")
    try:
        await asyncio.to_thread(npm.install, EXAMPLES)
    except npm.NoNpmError:
        node = None
    if node is None:
        pytest.skip("no node or npm: the JavaScript examples are NOT tested")
    return [node, file]


@asynccontextmanager
async def _running(
    stack: TestStack, path: str, language: str, *arguments: str, **more: str
) -> AsyncIterator[Process]:
    """The example, which is gone after the block."""
    environ = {**os.environ, "PARLEY_URL": stack.gateway_urls[0], "PYTHONUNBUFFERED": "1", **more}
    command = await _command(path, language)
    process = await asyncio.create_subprocess_exec(*command, *arguments, env=environ, stdout=PIPE, stderr=PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _rest(process: Process) -> list[str]:
    """What it prints until it ends, by itself and without an error."""
    async with asyncio.timeout(_SECONDS):
        output, errors = await process.communicate()
    assert (process.returncode, errors.decode()) == (0, "")
    return output.decode().splitlines()


async def _line(process: Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(_SECONDS):
        return (await process.stdout.readline()).decode().strip()


@pytest.mark.parametrize("language", _LANGUAGES)
@pytest.mark.parametrize("path", PRINTS)
async def test_an_example_prints_what_it_ought_to(stack: TestStack, path: str, language: str) -> None:
    """The same in both languages; it ends by itself."""
    async with _running(stack, path, language, PARLEY_ROOM=unique("example")) as process:
        assert await _rest(process) == PRINTS[path]


@pytest.mark.parametrize("language", _LANGUAGES)
async def test_the_first_client(stack: TestStack, language: str, tmp_path: Path) -> None:
    """It goes to where `make run` has its gateways, and so it does here."""
    text = (EXAMPLES / f"first_client/client.{language}").read_text()
    for port, url in zip((Ports().gateway_1, Ports().gateway_2), stack.gateway_urls, strict=True):
        text = text.replace(f"http://{HOST}:{port}", url)
    program, _ = await _command("first_client/client", language)
    file = tmp_path / ("client.mjs" if language == "js" else "client.py")
    file.write_text(text)
    (tmp_path / "node_modules").symlink_to(EXAMPLES / "node_modules")
    process = await asyncio.create_subprocess_exec(program, str(file), stdout=PIPE, stderr=PIPE)
    printed = await _rest(process)
    assert re.fullmatch(r"stored as \d+", printed[-1] if "stored" in printed[-1] else printed[0])


@pytest.mark.parametrize(("ticker", "watcher"), [("js", "py"), ("py", "js")])
async def test_the_dashboard(stack: TestStack, ticker: str, watcher: str) -> None:
    """The watcher draws while the ticker publishes, whatever each is written in, and ends with it."""
    room = unique("dashboard")
    async with _running(stack, "dashboard/watcher", watcher, PARLEY_ROOM=room) as watching:
        assert await _line(watching) == f"watching {room}"
        async with _running(stack, "dashboard/ticker", ticker, PARLEY_ROOM=room, TICKS="12") as ticking:
            drawn = await _rest(watching)
            assert await _rest(ticking) == ["published 12 ticks"]
    *prices, last = drawn
    assert last == "closed after 12 ticks"
    assert len(prices) >= 2, "it was not drawn live"
    assert all(re.fullmatch(r"([A-Z]+ \d+\.\d\d(  )?)+", each) for each in prices)
    assert re.fullmatch(r"AMBER \S+  BASALT \S+  COBALT \S+", prices[-1])


@pytest.mark.parametrize("language", _LANGUAGES)
async def test_a_notification_from_a_backend(stack: TestStack, language: str) -> None:
    """The user reads it once; a backend without a good token is told so."""
    token = await create(stack, unique("orders"), "notify")
    async with _running(stack, "notification/user", language) as device:
        user = (await _line(device)).removeprefix("user ")
        arguments = ("notification/backend", language, user, "Your order is on its way")
        async with _running(stack, *arguments, PARLEY_TOKEN=f"pst_{user}") as backend:
            assert (await _rest(backend))[0].startswith("401 ")
        async with _running(stack, *arguments, PARLEY_TOKEN=token) as backend:
            assert await _rest(backend) == ["202 kept until it was read"]
        assert await _rest(device) == ["Your order is on its way: It left the house at nine.", "read"]


@pytest.mark.parametrize("arguments", [(), ("u-somebody",)], ids=len)
@pytest.mark.parametrize("language", _LANGUAGES)
async def test_a_backend_that_is_told_too_little_says_what_it_needs(
    stack: TestStack, language: str, arguments: tuple[str, ...]
) -> None:
    """In one line, and it asks the gateway for nothing."""
    async with _running(stack, "notification/backend", language, *arguments) as backend, asyncio.timeout(_SECONDS):
        output, errors = await backend.communicate()
    assert (backend.returncode, output) == (2, b"")
    assert re.fullmatch(r"usage: \w+ backend\.\w+ USER TITLE\n", errors.decode())


def test_every_example_is_described() -> None:
    """examples/README.md names each folder; each has both languages, or is a page."""
    text = (EXAMPLES / "README.md").read_text()
    folders = [
        each for each in EXAMPLES.iterdir() if each.is_dir() and each.name not in {"node_modules", "__pycache__"}
    ]
    assert len(folders) == 7
    for folder in folders:
        assert f"{folder.name}/" in text
        scripts = {each.stem for each in folder.glob("*.js")} - {"page"}
        assert scripts == {each.stem for each in folder.glob("*.py")}
        assert scripts or (folder / "index.html").is_file()
