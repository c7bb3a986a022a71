"""One browser for all tests of the page; and each test fails when a window said that something is wrong."""

import shutil
from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.browser.window import Windows
from tests.support.stacks import TestStack
from tests.support.waiting import DEADLINE_SECONDS

_CHROMIUM: Final = shutil.which("chromium")
_FLAGS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Headless Chromium."""
    if _CHROMIUM is None:
        pytest.skip("no chromium: apt install chromium")
    expect.set_options(timeout=DEADLINE_SECONDS * 1000)
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=_CHROMIUM, args=_FLAGS)
        yield started
        await started.close()


@pytest_asyncio.fixture(loop_scope="session")
async def windows(browser: Browser, stack: TestStack) -> AsyncIterator[Windows]:
    """Windows on the shared stack."""
    opened = Windows(browser, stack)
    yield opened
    await opened.close()
    assert opened.problems == []
