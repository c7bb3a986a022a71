"""The page for those who use no mouse, or do not see it."""

from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import Page, expect

from tests.browser.window import Windows
from tests.support.stacks import unique

_FAULTS: Final = Path(__file__).with_name("faults.js").read_text()
_CHOOSE: Final = """async (names) => {
  const { choosePeople } = await import("/web/group-dialog.js");
  const people = names.map((name, number) => ({ id: `u-${number}`, display_name: name }));
  void choosePeople({ title: "New group", confirm: "Create group", named: true, people, act: async () => {} });
}"""


async def _check(page: Page) -> None:
    """Every control has a name, ids are unique and lead somewhere, and text stands out from what is behind it."""
    assert await page.evaluate(_FAULTS) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
async def test_every_view_can_be_read_and_named(windows: Windows, scheme: Any, width: int) -> None:
    """The sign-in, the chat, its drawers and its dialogs, on a wide and a narrow screen."""
    room = unique("access")
    entrance = await windows.open(width=width, color_scheme=scheme)
    await _check(entrance.page)
    bob = await windows.guest("Bob", room, gateway=1)
    await bob.say("hello")
    ann = await windows.guest("Ann", room, width=width, color_scheme=scheme)
    await ann.sees("hello")
    await ann.say("hello yourself")
    await _check(ann.page)
    if width < 720:
        await ann.part("members-button").click()
    await expect(ann.member("Bob")).to_be_visible()
    await _check(ann.page)
    await ann.member("Bob").get_by_role("button").click()
    await _check(ann.page)
    await ann.page.keyboard.press("Escape")
    if width < 720:
        await ann.page.keyboard.press("Escape")
        await ann.part("menu-button").click()
    await ann.part("new-group-button").click()
    await _check(ann.page)
    width_of_all = await ann.page.evaluate("document.documentElement.scrollWidth")
    assert width_of_all <= width


@pytest.mark.parametrize("width", [1280, 390])
async def test_many_people_leave_room_for_the_buttons(windows: Windows, width: int) -> None:
    """Their list scrolls within its dialog: nothing is cut off, and nothing lies over anything."""
    ann = await windows.guest("Ann", unique("many"), width=width)
    await ann.page.evaluate(_CHOOSE, [f"Person {number} of {'many' * 9}" for number in range(40)])
    dialog = ann.part("group-dialog")
    people, confirm = dialog.get_by_test_id("people-list"), dialog.get_by_test_id("group-confirm")
    title = dialog.get_by_role("heading", name="New group")
    assert await title.evaluate("title => title.scrollHeight <= title.clientHeight")
    below, button = await people.bounding_box(), await confirm.bounding_box()
    assert below is not None
    assert button is not None
    assert below["y"] + below["height"] <= button["y"]
    await expect(confirm).to_be_in_viewport(ratio=1)
    last = people.get_by_role("checkbox").last
    await last.check()
    box = await last.bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (17, 17)


async def test_the_keyboard_alone(windows: Windows) -> None:
    """From the sign-in to a group with somebody, and back, without a mouse."""
    room = unique("keys")
    bob = await windows.guest("Bob", room, gateway=1)
    ann = await windows.open(f"?room={room}")
    keyboard = ann.page.keyboard
    await expect(ann.part("name-input")).to_be_focused()
    await keyboard.type("Ann")
    await keyboard.press("Enter")
    await ann.is_connected()
    await expect(ann.part("composer")).to_be_focused()
    await keyboard.type("no mouse")
    await keyboard.press("Enter")
    await bob.sees("no mouse")
    await expect(ann.member("Bob")).to_be_visible()

    async def back_to(name: str) -> None:
        for _ in range(30):
            if await ann.part(name).evaluate_all("all => all.includes(document.activeElement)"):
                return
            await keyboard.press("Shift+Tab")
        raise AssertionError(name)

    await back_to("new-group-button")
    await keyboard.press("Enter")
    await expect(ann.part("group-name")).to_be_focused()
    await keyboard.type("Keys only")
    await keyboard.press("Tab")
    await keyboard.press("Space")
    await keyboard.press("Enter")
    await expect(ann.part("room-title")).to_have_text("Keys only")
    await expect(ann.part("composer")).to_be_focused()
    await back_to("room-item")
    await keyboard.press("ArrowUp")
    await keyboard.press("Enter")
    await expect(ann.part("room-title")).to_have_text(room)
    await back_to("new-group-button")
    await keyboard.press("Enter")
    await keyboard.press("Escape")
    await expect(ann.part("group-dialog")).to_be_hidden()
    await expect(ann.part("new-group-button")).to_be_focused()


async def test_screen_readers_hear_what_changes(windows: Windows) -> None:
    """Messages are a log, the connection a status, errors an alert."""
    ann = await windows.guest("Ann", unique("aria"))
    await expect(ann.page.get_by_role("log", name="Messages")).to_be_visible()
    await expect(ann.page.get_by_role("navigation", name="Rooms")).to_be_visible()
    await expect(ann.page.get_by_role("complementary", name="1 online")).to_be_visible()
    await expect(ann.page.get_by_role("status").filter(has_text="Connected")).to_be_visible()
    await ann.part("open-room-input").fill("not a room!")
    await ann.part("open-room-input").press("Enter")
    await expect(ann.page.get_by_role("alert")).to_contain_text("A room name has")
