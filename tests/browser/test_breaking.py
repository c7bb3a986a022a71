"""The page when connections and gateways end."""

from playwright.async_api import Browser, expect

from tests.browser.window import Windows
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until


async def test_offline_and_back_nothing_is_lost(windows: Windows) -> None:
    """The network of a browser is cut: it says so, keeps what is written, and catches up in order, all of it once."""
    room = unique("offline")
    ann = await windows.guest("Ann", room)
    bob = await windows.guest("Bob", room, gateway=1)
    await bob.say("before")
    await ann.sees("before")

    await ann.context.set_offline(True)
    await expect(ann.part("connection-state")).to_have_attribute("data-state", "offline", timeout=60_000)
    await expect(ann.part("connection-notice")).to_be_visible()
    said = [f"meanwhile {number}" for number in range(60)]
    for each in said:
        await bob.say(each)
    await expect(bob.part("message").last).to_have_attribute("data-state", "sent")
    await ann.say("written offline")
    await ann.say("and another one")
    await expect(ann.part("message").last).to_have_attribute("data-state", "sending")
    await ann.shoot("offline")

    await ann.context.set_offline(False)
    await ann.is_connected()
    await expect(ann.part("message").last).to_have_attribute("data-state", "sent")
    everything = ["before", *said, "written offline", "and another one"]
    await ann.sees(*everything)
    await bob.sees(*everything)
    await expect(ann.part("connection-notice")).to_be_hidden()


async def test_the_page_catches_up_after_its_gateway_was_killed(own_stack: TestStack, browser: Browser) -> None:
    """Kill -9 of the gateway: the page says so, comes back by itself, and shows what was said meanwhile, once.

    While history is away, people still chat; the page knows nothing of the past, and can ask again.
    """
    windows = Windows(browser, own_stack)
    room = unique("killed")
    ann = await windows.guest("Ann", room)
    bob = await windows.guest("Bob", room, gateway=1)
    await bob.say("before")
    await ann.sees("before")
    await own_stack.children["gateway-1"].kill()
    await expect(ann.part("connection-state")).not_to_have_attribute("data-state", "connected")
    await bob.say("meanwhile")
    await expect(bob.part("message").nth(1)).to_have_attribute("data-state", "sent")
    await own_stack.children["gateway-1"].start()
    await ann.is_connected()
    await ann.sees("before", "meanwhile")

    await own_stack.children["history"].kill()
    await ann.page.reload()
    await ann.is_connected()
    await expect(ann.part("message-list")).to_contain_text("Older messages could not be loaded.", timeout=40_000)
    await bob.say("without history")
    await ann.sees("without history")
    await own_stack.children["history"].start()
    await until(lambda: own_stack.is_ready("history"), "history")
    await ann.page.get_by_role("button", name="Try again").click()
    await ann.sees("before", "meanwhile", "without history")
    await windows.close()
    assert windows.problems == []
