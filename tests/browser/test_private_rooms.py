"""Groups and direct conversations: made, joined, left and ended from the page."""

import re

from playwright.async_api import expect

from tests.browser.window import Window, Windows
from tests.support.stacks import unique


async def _make_group(window: Window, name: str, *people: str) -> None:
    """A group of people whom the page knows."""
    await window.part("new-group-button").click()
    await window.part("group-name").fill(name)
    for person in people:
        await window.part("people-list").get_by_text(person, exact=True).click()
    await window.part("group-confirm").click()
    await expect(window.part("room-title")).to_have_text(name)


async def test_a_group_is_made_and_people_are_invited_and_removed(windows: Windows) -> None:
    """Who is in it sees it appear, talks, and sees it go, with words why; who is not sees nothing."""
    lobby, group = unique("lobby"), unique("Launch")
    ann = await windows.guest("Ann", lobby)
    bob = await windows.guest("Bob", lobby, gateway=1)
    carol = await windows.guest("Carol", lobby)
    await expect(ann.member("Bob")).to_be_visible()
    await expect(ann.member("Carol")).to_be_visible()

    await _make_group(ann, group, "Bob")
    await expect(bob.part("toast")).to_contain_text(f"You are now in {group}")
    await expect(bob.room(group)).to_be_visible()
    await expect(carol.room(group)).to_have_count(0)
    await bob.part("toast").get_by_role("button", name="Open").click()
    await expect(bob.part("room-title")).to_have_text(group)
    await bob.say("hello group")
    await ann.sees("hello group")
    await expect(ann.part("members-title")).to_have_text("2 members, 2 online")

    await ann.part("invite-button").click()
    await expect(ann.part("people-list").get_by_text("Bob", exact=True)).to_have_count(0)
    await ann.part("group-confirm").click()
    await expect(ann.part("group-dialog").get_by_role("alert")).to_have_text("Choose somebody first.")
    await ann.part("people-list").get_by_text("Carol", exact=True).click()
    await ann.part("group-confirm").click()
    await expect(ann.part("group-dialog")).to_be_hidden()
    await expect(carol.room(group)).to_be_visible()
    await expect(ann.member("Carol")).to_have_attribute("data-online", "true")
    await expect(bob.member("Carol")).to_have_attribute("data-online", "true")
    await carol.open(group)
    await carol.sees("hello group")
    await expect(carol.part("rename-button")).to_be_hidden()

    await ann.member("Carol").get_by_role("button").click()
    await ann.part("remove-person").click()
    await ann.part("ask-confirm").click()
    await expect(carol.part("error-banner")).to_have_text(
        f"You are not a member of {group} any more. You are in #{lobby} now."
    )
    await expect(carol.room(group)).to_have_count(0)
    await expect(ann.member("Carol")).to_have_count(0)
    await expect(bob.member("Carol")).to_have_count(0)
    await ann.say("just us")
    await bob.sees("hello group", "just us")
    await expect(carol.part("room-title")).to_have_text(lobby)


async def test_a_group_is_renamed_left_and_deleted(windows: Windows) -> None:
    """By its owner and its members; each is asked before, and can still say no."""
    lobby, group = unique("lobby"), unique("Old name")
    ann = await windows.guest("Ann", lobby)
    bob = await windows.guest("Bob", lobby, gateway=1)
    carol = await windows.guest("Carol", lobby)
    await expect(ann.member("Bob")).to_be_visible()
    await expect(ann.member("Carol")).to_be_visible()
    await _make_group(ann, group, "Bob", "Carol")
    await ann.part("rename-button").click()
    await expect(ann.part("ask-input")).to_have_value(group)
    await ann.part("ask-input").fill(f"New {group}")
    await ann.part("ask-input").press("Enter")
    await expect(ann.part("room-title")).to_have_text(f"New {group}")

    await bob.room(group).click()  # Nobody has told him of the new name: he asks when he looks.
    await expect(bob.part("room-title")).to_have_text(f"New {group}")
    await bob.part("leave-button").click()
    await bob.page.keyboard.press("Escape")
    await expect(bob.part("room-title")).to_have_text(f"New {group}")
    await bob.part("leave-button").click()
    await bob.part("ask-confirm").click()
    await expect(bob.part("room-title")).to_have_text(lobby)
    await expect(bob.room(f"New {group}")).to_have_count(0)
    await expect(bob.part("error-banner")).to_be_hidden()
    await expect(ann.member("Bob")).to_have_count(0)

    await ann.part("delete-button").click()
    await ann.part("ask-confirm").click()
    await expect(ann.part("room-title")).to_have_text(lobby)
    await expect(carol.part("toast").last).to_contain_text("was deleted")
    await expect(carol.part("room-item")).to_have_count(1)


async def test_a_direct_conversation(windows: Windows) -> None:
    """Opened from a member or from a message, it is the same one; its name is the other's, with their dot."""
    lobby = unique("lobby")
    ann_name, bob_name = unique("Ann"), unique("Bob")
    ann = await windows.guest(ann_name, lobby)
    bob = await windows.guest(bob_name, lobby, gateway=1)
    await bob.say("anybody here?")
    await ann.part("message-sender").first.click()
    await expect(ann.part("person-dialog")).to_contain_text(bob_name)
    await ann.part("message-person").click()
    await expect(ann.part("room-title")).to_have_text(bob_name)
    await ann.say("psst")
    await expect(bob.unread(ann_name)).to_have_text("1")
    await bob.member(ann_name).get_by_role("button").click()
    await bob.part("message-person").click()
    await expect(bob.part("room-title")).to_have_text(ann_name)
    await bob.sees("psst")
    await bob.say("yes?")
    await ann.sees("psst", "yes?")
    dot = ann.room(bob_name).locator(".avatar")
    await expect(dot).to_have_attribute("data-online", "true")
    assert await ann.part("room-item").count() == 2
    await bob.close()
    await expect(dot).to_have_attribute("data-online", "false")
    await expect(ann.room(bob_name)).to_have_accessible_name(re.compile(bob_name))


async def test_a_removal_while_away_is_heard_of_at_the_return(windows: Windows) -> None:
    """Whoever was cut off meanwhile is told when they are back, and the other way round."""
    lobby, group, other = unique("lobby"), unique("Gone"), unique("Came")
    ann = await windows.guest("Ann", lobby)
    bob = await windows.guest("Bob", lobby, gateway=1)
    await bob.say("hello")
    await ann.sees("hello")
    await _make_group(ann, group, "Bob")
    await bob.open(group)
    await bob.context.set_offline(True)
    await expect(ann.member("Bob")).to_have_attribute("data-online", "false", timeout=60_000)
    await ann.member("Bob").get_by_role("button").click()
    await ann.part("remove-person").click()
    await ann.part("ask-confirm").click()
    await expect(ann.member("Bob")).to_have_count(0)
    await _make_group(ann, other, "Bob")
    await bob.context.set_offline(False)
    await bob.is_connected()
    await expect(bob.part("error-banner")).to_contain_text(f"You are not a member of {group} any more.")
    await expect(bob.room(group)).to_have_count(0)
    await expect(bob.room(other)).to_be_visible()
