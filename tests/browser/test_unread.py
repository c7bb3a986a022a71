"""Unread counts: the same in all windows of a user, whatever order things happen in."""

import random
from pathlib import Path
from typing import Final, NamedTuple

from playwright.async_api import expect

from tests.browser.window import Window, Windows
from tests.support.clients.parley import PythonClient
from tests.support.stacks import TestStack, unique

_TOLD_OF_NO_MARKERS: Final = """
  const Network = WebSocket, now = performance.now.bind(performance);
  window.leap = 0;
  performance.now = () => now() + window.leap;
  window.WebSocket = class extends Network {
    set onmessage(hear) {
      super.onmessage = (event) => String(event.data).startsWith('42["read"') || hear(event);
    }
  };
"""
"""As if its gateway had been cut off from the others for a moment; and its clock can be put forward."""

_COUNTING: Final = Path(__file__).with_name("counting.js").read_text()


class _Scene(NamedTuple):
    """Two windows of ann's, at two gateways, both in another room than the group that she has with bob."""

    first: Window
    second: Window
    bob: Window
    group: str
    aside: str


async def _two_windows_and_bob(windows: Windows, *, script: str = "") -> _Scene:
    aside, group = unique("aside"), unique("Plans")
    name = unique("ann")
    first = await windows.account(name, aside)
    bob = await windows.guest("Bob", aside, gateway=1)
    await expect(first.member("Bob")).to_be_visible()
    await first.part("new-group-button").click()
    await first.part("group-name").fill(group)
    await first.part("people-list").get_by_text("Bob", exact=True).click()
    await first.part("group-confirm").click()
    await expect(first.part("room-title")).to_have_text(group)
    await first.open(aside)
    await bob.open(group)
    second = await windows.account(name, aside, known=True, gateway=1, script=script)
    await expect(second.room(group)).to_be_visible()
    return _Scene(first, second, bob, group, aside)


async def test_unread_counts_agree_across_two_windows(windows: Windows) -> None:
    """They rise with messages of others, and fall in both windows when one of them shows the room."""
    first, second, bob, group, aside = await _two_windows_and_bob(windows)
    for number in range(3):
        await bob.say(f"plan {number}")
    for window in (first, second):
        await expect(window.unread(group)).to_have_text("3")
        await expect(window.room(group)).to_have_accessible_name(f"{group}, 3 unread")
    assert (await first.page.title()).startswith("(3) ")
    await first.shoot("unread")

    await first.open(group)
    await expect(first.part("new-divider")).to_have_count(0)  # She has never read anything there: all of it is new.
    for window in (first, second):
        await expect(window.unread(group)).to_be_hidden()

    await first.open(aside)
    await bob.say("plan 3")
    for window in (first, second):
        await expect(window.unread(group)).to_have_text("1")
    await second.open(group)
    await expect(second.part("new-divider")).to_be_visible()
    await second.sees("plan 0", "plan 1", "plan 2", "plan 3")
    await expect(first.unread(group)).to_be_hidden()


async def test_what_was_not_read_is_counted_at_the_start(windows: Windows) -> None:
    """A window that is opened later, or again, has the count of the server; own messages are not unread."""
    first, second, bob, group, aside = await _two_windows_and_bob(windows)
    await second.close()
    await first.open(group)
    await first.say("own words")
    await bob.sees("own words")
    await first.open(aside)
    await bob.say("one")
    await bob.say("two")
    await expect(first.unread(group)).to_have_text("2")
    await first.page.reload()
    await first.is_connected()
    await expect(first.unread(group)).to_have_text("2")


async def test_a_window_that_is_looked_at_again_asks_again(windows: Windows) -> None:
    """What was read elsewhere may never have been told; an asking costs nothing to whoever only looks away."""
    first, second, bob, group, _ = await _two_windows_and_bob(windows, script=_TOLD_OF_NO_MARKERS)
    await bob.say("news")
    await expect(second.unread(group)).to_have_text("1")
    await first.open(group)
    await expect(first.unread(group)).to_be_hidden()
    look = "document.dispatchEvent(new Event('visibilitychange'))"
    async with second.page.expect_request("**/api/rooms", timeout=10_000):
        await second.page.evaluate(f"leap = 20000; {look}")
    await expect(second.unread(group)).to_be_hidden()


async def test_a_window_that_was_cut_off_hears_what_was_read_elsewhere(windows: Windows) -> None:
    """It counts what came while it was away, and not what another window has read of it."""
    first, second, bob, group, aside = await _two_windows_and_bob(windows)
    await second.context.set_offline(True)
    await bob.say("while you were away")
    await first.open(group)
    await first.sees("while you were away")
    await first.open(aside)
    await bob.say("and after")
    await expect(first.unread(group)).to_have_text("1")
    await second.context.set_offline(False)
    await second.is_connected()
    await expect(second.unread(group)).to_have_text("1")


async def test_a_count_is_right_in_whichever_order_things_arrive(windows: Windows) -> None:
    """Messages, markers of other devices, and answers that are older or newer than both."""
    window = await windows.open()
    seed = random.randrange(2**32)
    wrong = await window.page.evaluate(_COUNTING, [20_000, seed])
    assert wrong is None, f"seed {seed}: {wrong}"


async def test_many_are_shown_as_many(stack: TestStack, windows: Windows) -> None:
    """Nobody counts above 99."""
    first, second, bob, group, _ = await _two_windows_and_bob(windows)
    room = await bob.page.evaluate("new URL(location).searchParams.get('room')")
    async with PythonClient(stack.gateway_urls[0], (await bob.user())["access_token"]) as writer:
        await writer.join(room)
        for number in range(101):
            await writer.say(room, f"m{number}")
    for window in (first, second):
        await expect(window.unread(group)).to_have_text("99+")
    await second.page.reload()
    await expect(second.unread(group)).to_have_text("99+")
