"""The chat page in a real browser: two people, two gateways."""

import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.support.stacks import TestStack, fresh, unique
from tests.support.waiting import until

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt install chromium")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Headless Chromium."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        await started.close()


async def _enter(browser: Browser, url: str, name: str, room: str, problems: list[str], *, width: int = 1280) -> Page:
    """A page of its own, with `name` in `room`."""
    context = await browser.new_context(viewport={"width": width, "height": 800})
    page = await context.new_page()
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    await page.goto(f"{url}/?room={room}")
    await page.get_by_test_id("name-input").fill(name)
    await expect(page.get_by_test_id("room-input")).to_have_value(room)
    await page.get_by_test_id("enter-button").click()
    await expect(page.get_by_test_id("connection-state")).to_have_attribute("data-state", "connected")
    await expect(page.get_by_test_id("room-title")).to_have_text(room)
    return page


async def _shoot(page: Page, name: str) -> None:
    """Keep a picture where SCREENSHOTS says, for a person to look at."""
    if folder := os.environ.get("SCREENSHOTS"):
        await page.screenshot(path=Path(folder) / f"{name}.png")


async def test_two_pages_on_two_gateways_chat(stack: TestStack, browser: Browser) -> None:
    """Messages both ways, typing, history for those who come later, text shown as text; no error in the console."""
    room = unique("page")
    problems: list[str] = []
    first, second = stack.gateway_urls
    ann = await _enter(browser, first, "Ann Lovelace", room, problems)
    bob = await _enter(browser, second, "Bob", room, problems)
    await expect(ann.get_by_test_id("gateway-name")).to_contain_text("gateway-1")
    await expect(bob.get_by_test_id("gateway-name")).to_contain_text("gateway-2")

    await ann.get_by_test_id("composer").fill("Good morning! Is the new build out?")
    await ann.get_by_test_id("composer").press("Enter")
    await expect(bob.get_by_test_id("message")).to_have_count(1)
    await bob.get_by_test_id("composer").fill("<b>Yes</b> <script>alert(1)</script>, since nine.")
    await bob.get_by_test_id("send-button").click()
    await expect(ann.get_by_test_id("message")).to_have_count(2)
    await expect(ann.get_by_test_id("message-body").nth(1)).to_have_text(
        "<b>Yes</b> <script>alert(1)</script>, since nine."
    )
    await expect(ann.get_by_test_id("message").nth(0)).to_have_attribute("data-state", "sent")
    assert await ann.get_by_test_id("message").nth(0).get_attribute("data-seq")

    await bob.get_by_test_id("composer").press_sequentially("And one more thing")
    await expect(ann.get_by_test_id("typing-line")).to_contain_text("Bob")
    await _shoot(ann, "chat-wide")
    await bob.get_by_test_id("composer").press("Enter")
    await expect(ann.get_by_test_id("message")).to_have_count(3)

    carol = await _enter(browser, first, "Carol", room, problems, width=390)
    await expect(carol.get_by_test_id("message")).to_have_count(3)
    await _shoot(carol, "chat-narrow")
    assert problems == []
    for page in (ann, bob, carol):
        await page.context.close()


async def test_a_private_room_is_refused_in_words(stack: TestStack, browser: Browser) -> None:
    """The page says what the server said."""
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(f"{stack.gateway_urls[0]}/?room=g-secret")
    await page.get_by_test_id("name-input").fill("Dan")
    await page.get_by_test_id("enter-button").click()
    await expect(page.get_by_test_id("error-banner")).to_contain_text("not a member")
    await _shoot(page, "refused")
    await context.close()


async def test_the_page_catches_up_after_its_gateway_was_killed(own_stack: TestStack, browser: Browser) -> None:
    """Kill -9 of the gateway: the page says so, comes back by itself, and shows what was said meanwhile, once."""
    stack = own_stack
    room = unique("killed")
    first, second = stack.gateway_urls
    problems: list[str] = []
    ann = await _enter(browser, first, "Ann", room, problems)
    bob = await _enter(browser, second, "Bob", room, problems)
    await bob.get_by_test_id("composer").fill("before")
    await bob.get_by_test_id("composer").press("Enter")
    await expect(ann.get_by_test_id("message")).to_have_count(1)
    await stack.children["gateway-1"].kill()
    await expect(ann.get_by_test_id("connection-state")).not_to_have_attribute("data-state", "connected")
    await bob.get_by_test_id("composer").fill("meanwhile")
    await bob.get_by_test_id("composer").press("Enter")
    await expect(bob.get_by_test_id("message").nth(1)).to_have_attribute("data-state", "sent")
    await _shoot(ann, "reconnecting")
    await stack.children["gateway-1"].start()
    await expect(ann.get_by_test_id("connection-state")).to_have_attribute("data-state", "connected", timeout=30_000)
    await expect(ann.get_by_test_id("message-body")).to_have_text(["before", "meanwhile"])
    for page in (ann, bob):
        await page.context.close()


async def test_the_page_outlives_its_tokens_and_ends_with_its_session(browser: Browser) -> None:
    """It brings a new token before the old one expires; signed out elsewhere, it says so, and stays out."""
    async with fresh(environ={"ACCESS_TOKEN_SECONDS": "10"}) as stack:
        problems: list[str] = []
        page = await _enter(browser, stack.gateway_urls[0], "Ann", unique("long"), problems)

        async def refreshed() -> bool:
            name = "parley_gateway_events_total"
            return await stack.metric("gateway-1", name, event="refresh", result="ok") >= 3

        await until(refreshed, "three refreshes", seconds=60, every=0.5)
        assert await stack.metric("gateway-1", "parley_gateway_connects_total", result="ok") == 1
        await page.get_by_test_id("composer").fill("still here")
        await page.get_by_test_id("composer").press("Enter")
        await expect(page.get_by_test_id("message").nth(0)).to_have_attribute("data-state", "sent")
        stored = json.loads(await page.evaluate("sessionStorage.getItem('parley.session')"))
        headers = {"Authorization": f"Bearer {stored['session']['access_token']}"}
        async with aiohttp.ClientSession() as http:
            await http.post(f"{stack.gateway_urls[1]}/api/logout", headers=headers)
        await expect(page.get_by_test_id("error-banner")).to_contain_text("signed out", timeout=10_000)
        await _shoot(page, "signed-out")
        assert await stack.metric("gateway-1", "parley_gateway_connects_total", result="ok") == 1
        assert problems == []
        await page.context.close()
