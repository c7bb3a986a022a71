"""Who is in a room, and who is there now."""

import asyncio
from contextlib import AsyncExitStack

from playwright.async_api import Browser, expect

from tests.browser.window import Windows
from tests.support.light_member import LightMember
from tests.support.stacks import fresh, unique
from tests.support.waiting import until


async def test_dots_come_and_go_with_people(windows: Windows) -> None:
    """A public room lists who is there, at whichever gateway; once for each user, until their last window is gone."""
    room = unique("members")
    name = unique("bob")
    ann = await windows.guest("Ann", room)
    await expect(ann.part("members-count")).to_have_text("1")
    bob = await windows.account(name, room, gateway=1)
    again = await windows.account(name, room, known=True)
    await expect(ann.part("members-title")).to_have_text("2 online")
    await expect(ann.member(name)).to_have_attribute("data-online", "true")
    await expect(bob.member("Ann")).to_have_attribute("data-online", "true")
    await bob.close()
    await again.say("still here")
    await ann.sees("still here")
    await expect(ann.member(name)).to_have_attribute("data-online", "true")
    await again.close()
    await expect(ann.member(name)).to_have_count(0)
    await expect(ann.part("members-count")).to_have_text("1")


async def test_after_a_reconnect_the_members_are_asked_for_again(windows: Windows) -> None:
    """Who came while the page was cut off is there, and who left is not."""
    room = unique("members")
    ann = await windows.guest("Ann", room)
    bob = await windows.guest("Bob", room, gateway=1)
    await expect(ann.member("Bob")).to_be_visible()
    await ann.context.set_offline(True)
    await expect(bob.member("Ann")).to_have_count(0, timeout=60_000)
    await windows.guest("Carol", room, gateway=1)
    await bob.close()
    await ann.context.set_offline(False)
    await ann.is_connected()
    await expect(ann.member("Carol")).to_be_visible()
    await expect(ann.member("Bob")).to_have_count(0)
    await expect(ann.member("Ann")).to_be_visible()


async def test_in_a_large_room_the_list_catches_up(browser: Browser) -> None:
    """Changes come together once a second; when they are too many to be told, the page asks."""
    others = 120
    async with fresh(environ={"PRESENCE_BATCH_ABOVE": "2"}) as stack, AsyncExitStack() as exits:
        windows = Windows(browser, stack)
        room = unique("large")
        ann = await windows.guest("Ann", room)
        ports, may_connect = [stack.ports.gateway_2], asyncio.Event()
        crowd = [LightMember(ports, await stack.token(), [room], may_connect) for _ in range(others)]
        for each in crowd:
            await exits.enter_async_context(each)
        may_connect.set()
        await until(lambda: all(each.is_in for each in crowd), "them to be in")
        await expect(ann.part("members-title")).to_have_text(f"{others + 1} online", timeout=10_000)
        await expect(ann.part("member")).to_have_count(others + 1, timeout=10_000)
        may_connect.clear()
        await stack.children["gateway-2"].kill()
        await expect(ann.part("members-title")).to_have_text("1 online", timeout=20_000)
        await expect(ann.part("member")).to_have_count(1, timeout=10_000)
        await windows.close()
        assert windows.problems == []


async def test_the_list_is_a_drawer_where_there_is_little_room(windows: Windows) -> None:
    """It covers the messages when asked for, and Escape or a tap beside it puts it away."""
    ann = await windows.guest("Ann", unique("narrow"), width=390)
    await expect(ann.part("members")).to_be_hidden()
    await ann.part("members-button").click()
    await expect(ann.member("Ann")).to_be_in_viewport()
    await ann.page.keyboard.press("Escape")
    await expect(ann.part("members")).to_be_hidden()
    await expect(ann.part("members-button")).to_be_focused()
    await ann.part("members-button").click()
    await ann.page.mouse.click(20, 400)
    await expect(ann.part("members")).to_be_hidden()
    await ann.part("menu-button").click()
    await expect(ann.part("room-item")).to_be_in_viewport()
    await ann.page.keyboard.press("Escape")
    await expect(ann.part("menu-button")).to_be_focused()
