"""Somebody's window with the chat page, and what they do in it."""

import json
import os
import re
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, expect

from tests.support.stacks import TestStack

PASSWORD: Final = "correct horse battery"
_NETWORK: Final = re.compile(r"net::ERR_|WebSocket (connection|is already)")
"""What Chromium itself says when there is no network: it is no mistake of the page's."""

_DUPLICATE: Final = """(stored) => {
  const now = sessionStorage.getItem("parley.session");
  if (stored) sessionStorage.setItem("parley.session", stored);
  window.open(location.href);
  sessionStorage.setItem("parley.session", now);
}"""


class Window:
    """A page in a context of its own: nothing is shared with other windows, but with its duplicates."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def context(self) -> BrowserContext:
        """What has its own storage and its own network."""
        return self.page.context

    def part(self, name: str) -> Locator:
        """By the name that tests know it by."""
        return self.page.get_by_test_id(name)

    def room(self, title: str) -> Locator:
        """Its line in the list."""
        return self.part("room-item").filter(has=self.page.get_by_text(title, exact=True))

    def unread(self, title: str) -> Locator:
        """The number beside it."""
        return self.room(title).get_by_test_id("unread")

    def member(self, name: str) -> Locator:
        """Somebody's line in the list of members."""
        return self.part("member-list").get_by_role("listitem").filter(has=self.page.get_by_text(name, exact=True))

    async def say(self, text: str) -> None:
        """Write it and send it."""
        await self.part("composer").fill(text)
        await self.part("composer").press("Enter")

    async def sees(self, *bodies: str) -> None:
        """Nothing but these messages, in this order."""
        await expect(self.part("message-body")).to_have_text(list(bodies))

    async def open(self, title: str) -> None:
        """Go to a room in the list."""
        await self.room(title).click()
        await expect(self.part("room-title")).to_have_text(title)

    async def is_connected(self, *, seconds: float = 30) -> None:
        """Once it says so."""
        state = self.part("connection-state")
        await expect(state).to_have_attribute("data-state", "connected", timeout=seconds * 1000)

    async def user(self) -> dict[str, Any]:
        """Who is signed in, with `access_token`."""
        stored = json.loads(await self.page.evaluate("sessionStorage.getItem('parley.session')"))
        session = stored["session"]
        return {**session["user"], "access_token": session["access_token"]}

    async def shoot(self, name: str) -> None:
        """Keep a picture where SCREENSHOTS says, for a person to look at."""
        if folder := os.environ.get("SCREENSHOTS"):
            await self.page.screenshot(path=Path(folder) / f"{name}.png")

    async def close(self) -> None:
        """And leave."""
        await self.context.close()


class Windows:
    """Opens windows, and hears of everything in them that should not happen."""

    def __init__(self, browser: Browser, stack: TestStack) -> None:
        self.problems: list[str] = []
        self._browser = browser
        self._stack = stack
        self._opened: list[Window] = []

    async def open(
        self, address: str = "", *, gateway: int = 0, width: int = 1280, script: str = "", **more: Any
    ) -> Window:
        """The page of a gateway, with nobody signed in. `script` runs before those of the page."""
        context = await self._browser.new_context(viewport={"width": width, "height": 800}, **more)
        context.set_default_timeout(10_000)
        context.on("weberror", lambda error: self.problems.append(str(error.error)))
        context.on("console", self._on_console)
        context.on("request", self._on_request)
        await context.add_init_script(script)
        window = Window(await context.new_page())
        self._opened.append(window)
        await window.page.goto(f"{self._stack.gateway_urls[gateway]}/{address}")
        return window

    async def guest(self, name: str, room: str, *, gateway: int = 0, width: int = 1280, **more: Any) -> Window:
        """`name` in `room`."""
        window = await self.open(f"?room={room}", gateway=gateway, width=width, **more)
        await window.part("name-input").fill(name)
        await expect(window.part("room-input")).to_have_value(room)
        await window.part("enter-button").click()
        await window.is_connected()
        return window

    async def account(
        self, username: str, room: str, *, known: bool = False, gateway: int = 0, **more: Any
    ) -> Window:
        """A window of somebody with an account, which is made, unless it is `known`."""
        window = await self.open(f"?room={room}", gateway=gateway, **more)
        await window.part("mode-login" if known else "mode-register").check()
        await window.part("username-input").fill(username)
        await window.part("password-input").fill(PASSWORD)
        await window.part("enter-button").click()
        await window.is_connected()
        return window

    async def duplicate(self, window: Window, *, stored: str = "") -> Window:
        """Another tab of the same session, which got a copy of what the first has; or has what was `stored` once."""
        async with window.context.expect_page() as opened:
            await window.page.evaluate(_DUPLICATE, stored)
        tab = Window(await opened.value)
        await tab.is_connected()
        return tab

    async def close(self) -> None:
        """All of them."""
        for window in self._opened:
            await window.close()

    def _on_console(self, line: ConsoleMessage) -> None:
        if line.type == "error" and not _NETWORK.search(line.text):
            self.problems.append(line.text)

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "data:")):
            self.problems.append(f"asked for {request.url}")
