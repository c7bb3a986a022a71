"""What backends tell a user, in the page."""

import re
import time
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.window import Windows
from tests.support.backends import Backend, backend
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until


async def _notify(by: Backend, user: str, **body: Any) -> None:
    status, said = await by.post(f"/api/users/{user}/notifications", body, gateway=1)
    assert status == 202, said


async def _a_second_later() -> None:
    """The page knows the server's clock to a second."""
    now = time.time()
    await until(lambda: time.time() > now + 1.2, "a second later")


async def test_a_notification_comes_to_all_windows_until_it_was_read(stack: TestStack, windows: Windows) -> None:
    """At once, or at the next start; read in one window it is gone from the others, and does not come again."""
    builds = await backend(stack, "notify")
    name, room = unique("ann"), unique("room")
    first = await windows.account(name, room)
    user = (await first.user())["id"]
    await _notify(builds, user, id="build-1", title="Build <b>41</b> is green", body="All 2,113 tests passed.")
    await expect(first.part("toast")).to_contain_text("Build <b>41</b> is green")
    await expect(first.part("bell-badge")).to_have_text("1")
    await _notify(builds, user, id="build-1", title="Build <b>41</b> is green")
    await _notify(builds, user, id="disk", title="Disk almost full")
    await expect(first.part("bell-badge")).to_have_text("2")
    await _a_second_later()

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


@pytest.mark.parametrize("ahead", [-3_600_000, 3_600_000])
async def test_a_clock_that_is_wrong_hides_and_shows_nothing(stack: TestStack, windows: Windows, ahead: int) -> None:
    """What comes now pops up, and what was there before does not, an hour ahead or behind of the server."""
    builds = await backend(stack, "notify")
    name, room = unique("ann"), unique("clock")
    script = f"""
      const [now, origin] = [Date.now.bind(Date), performance.timeOrigin + {ahead}];
      Date.now = () => now() + {ahead};
      Object.defineProperty(performance, "timeOrigin", {{ get: () => origin }});
    """
    first = await windows.account(name, room)
    await _notify(builds, (await first.user())["id"], id="old", title="There before")
    await expect(first.part("bell-badge")).to_have_text("1")
    await _a_second_later()
    second = await windows.account(name, room, known=True, script=script)
    await expect(second.part("bell-badge")).to_have_text("1")
    await _notify(builds, (await first.user())["id"], id="new", title="Just now")
    await expect(second.part("toast")).to_have_text(re.compile("Just now"))
