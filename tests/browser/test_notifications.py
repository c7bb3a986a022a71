"""What backends tell a user, in the page."""

import aiohttp
from playwright.async_api import expect

from tests.browser.window import Windows
from tests.support.backends import create
from tests.support.stacks import TestStack, unique


async def _notify(stack: TestStack, token: str, user: str, **body: str) -> None:
    url = f"{stack.gateway_urls[1]}/api/users/{user}/notifications"
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as http, http.post(url, json=body, headers=headers) as answer:
        assert answer.status == 202, await answer.text()


async def test_a_notification_comes_to_all_windows_until_it_was_read(stack: TestStack, windows: Windows) -> None:
    """At once, or at the next start; read in one window it is gone from the others, and does not come again."""
    token = await create(stack, unique("backend"), "notify")
    name, room = unique("ann"), unique("room")
    first = await windows.account(name, room)
    user = (await first.user())["id"]
    await _notify(stack, token, user, id="build-1", title="Build <b>41</b> is green", body="All 2,113 tests passed.")
    await expect(first.part("toast")).to_contain_text("Build <b>41</b> is green")
    await expect(first.part("bell-badge")).to_have_text("1")
    await _notify(stack, token, user, id="build-1", title="Build <b>41</b> is green")
    await _notify(stack, token, user, id="disk", title="Disk almost full")
    await expect(first.part("bell-badge")).to_have_text("2")

    second = await windows.account(name, room, known=True, gateway=1)
    await expect(second.part("bell-badge")).to_have_text("2")
    await second.part("bell").click()
    await expect(second.part("notification")).to_have_count(2)
    await second.shoot("notifications")
    await second.page.get_by_role("button", name="Dismiss: Disk almost full").click()
    await expect(first.part("bell-badge")).to_have_text("1")
    await expect(second.part("notification")).to_have_count(1)
    await second.page.reload()
    await second.is_connected()
    await expect(second.part("bell-badge")).to_have_text("1")
    await expect(second.part("toast")).to_have_count(0)
    await first.part("bell").click()
    await first.page.get_by_role("button", name="Dismiss: Build").click()
    await expect(second.part("bell-badge")).to_be_hidden()
    await first.page.keyboard.press("Escape")
    await expect(first.part("notifications")).to_be_hidden()
    await expect(first.part("bell")).to_be_focused()
