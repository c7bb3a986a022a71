"""The examples that are pages, in a real browser."""

import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.support.clients.parley import PythonClient
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until

CHROMIUM: Final = shutil.which("chromium")
FLAGS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt install chromium")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Headless Chromium."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        await started.close()


async def _open(browser: Browser, url: str, problems: list[str], *, width: int = 1000, dark: bool = False) -> Page:
    """A page of its own; whatever goes wrong on it, and whatever it asks of others, is told in `problems`."""
    context = await browser.new_context(
        viewport={"width": width, "height": 640}, color_scheme="dark" if dark else "light"
    )
    page = await context.new_page()
    origin = "/".join(url.split("/")[:3])
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    page.on("request", lambda asked: None if asked.url.startswith(origin) else problems.append(asked.url))
    await page.goto(url)
    return page


async def _shoot(page: Page, name: str) -> None:
    """Keep a picture where SCREENSHOTS says, for a person to look at."""
    if folder := os.environ.get("SCREENSHOTS"):
        await page.screenshot(path=Path(folder) / f"{name}.png")


async def test_cursors_are_shared(stack: TestStack, browser: Browser) -> None:
    """On two gateways: each sees the other's pointer where it is, with a name that is only text, and not its own."""
    room, problems = unique("cursors"), list[str]()
    first, second = (f"{url}/examples/cursors/?room={room}" for url in stack.gateway_urls)
    ann = await _open(browser, f"{first}&name=Ann", problems)
    bob = await _open(browser, f"{second}&name=<b>Bob</b>", problems, width=390, dark=True)
    for page in (ann, bob):
        await expect(page.locator("#state")).to_contain_text("You are")
    for page, x, y in ((ann, 0.25, 0.5), (bob, 0.75, 0.25)):
        box = await page.locator("#board").bounding_box()
        assert box is not None
        await page.mouse.move(box["x"] + 5, box["y"] + 5)
        await page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y, steps=40)
    await expect(ann.locator(".cursor")).to_have_text(["<b>Bob</b>"])
    await expect(bob.locator(".cursor")).to_have_text(["Ann"])

    async def ann_is_seen_there() -> bool:
        where = await bob.locator(".cursor").bounding_box()
        board = await bob.locator("#board").bounding_box()
        assert where is not None
        assert board is not None
        across, down = (where["x"] - board["x"]) / board["width"], (where["y"] - board["y"]) / board["height"]
        return abs(across - 0.25) < 0.02 and abs(down - 0.5) < 0.02

    await until(ann_is_seen_there, "Ann's pointer to be where it is")
    await _shoot(ann, "cursors-wide")
    await _shoot(bob, "cursors-narrow-dark")
    await bob.context.close()
    await expect(ann.locator(".cursor")).to_have_count(0, timeout=20_000)
    assert problems == []
    await ann.context.close()


async def test_a_dashboard_draws_the_newest(stack: TestStack, browser: Browser) -> None:
    """Prices of each name as they come, also when they come in hundreds; nonsense is not drawn; then the end."""
    room, problems = unique("dashboard"), list[str]()
    page = await _open(browser, f"{stack.gateway_urls[0]}/examples/dashboard/?room={room}", problems)
    await expect(page.locator("#state")).to_contain_text("Watching")
    async with PythonClient(stack.gateway_urls[1], await stack.token(), transports=["websocket"]) as ticker:
        await ticker.join(room)
        for tick in range(150):
            for number, name in enumerate(("AMBER", "BASALT", "COBALT")):
                price = 100 * (number + 1) + (tick * (7 + number)) % 40 / 2
                await ticker.socket.emit(
                    "event", {"room": room, "name": name, "data": {"tick": tick, "price": price}}
                )
        for nonsense in (None, "up", {"price": "<img src=x>"}, {"price": None}):
            await ticker.socket.emit("event", {"room": room, "name": "NONSENSE", "data": nonsense})
        await expect(page.locator("#prices strong")).to_have_text(["AMBER", "BASALT", "COBALT"])
        await expect(page.locator("#prices output")).to_have_text(["101.50", "216.00", "310.50"])
        points = await page.locator("#prices polyline").first.get_attribute("points")
        assert points is not None
        assert re.fullmatch(r"(\d+,[\d.]+ ?){2,100}", points)
        await _shoot(page, "dashboard-wide")
        await page.set_viewport_size({"width": 390, "height": 640})
        await page.emulate_media(color_scheme="dark")
        await _shoot(page, "dashboard-narrow-dark")
        await ticker.call("event", {"room": room, "name": "closed", "data": {"tick": 150}})
        await expect(page.locator("#state")).to_have_text("Closed after 150 ticks")
    assert problems == []
    await page.context.close()
