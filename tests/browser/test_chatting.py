"""Two people on two gateways chat: what is written, shown, failed and paged back."""

import re

from playwright.async_api import WebSocketRoute, expect

from tests.browser.window import Windows
from tests.support.backends import backend
from tests.support.clients.parley import PythonClient
from tests.support.stacks import TestStack, unique

_BROKEN = '[{"ok":false,"error":{"code":"internal","message":"something broke"}}]'


async def test_two_pages_on_two_gateways_chat(windows: Windows) -> None:
    """Messages both ways, typing, history for those who come later; everybody sees the same."""
    room = unique("page")
    ann = await windows.guest("Ann Lovelace", room)
    bob = await windows.guest("Bob", room, gateway=1)
    await expect(ann.part("gateway-name")).to_contain_text("gateway-1")
    await expect(bob.part("gateway-name")).to_contain_text("gateway-2")

    await ann.say("Good morning! Is the new build out?")
    await bob.sees("Good morning! Is the new build out?")
    await bob.part("composer").fill("Yes, since nine.")
    await bob.part("send-button").click()
    await ann.sees("Good morning! Is the new build out?", "Yes, since nine.")
    await expect(ann.part("message").nth(0)).to_have_attribute("data-state", "sent")
    assert await ann.part("message").nth(0).get_attribute("data-seq")

    await bob.part("composer").press_sequentially("And one more thing")
    await expect(ann.part("typing-line")).to_contain_text("Bob")
    await bob.part("composer").press("Enter")
    await expect(ann.part("message")).to_have_count(3)
    await expect(ann.part("typing-line")).to_have_text("")

    carol = await windows.guest("Carol", room, width=390)
    await carol.sees("Good morning! Is the new build out?", "Yes, since nine.", "And one more thing")


async def test_text_is_shown_as_text(windows: Windows) -> None:
    """Markup does nothing; a text from right to left runs so, and takes nothing around it along."""
    room = unique("text")
    ann = await windows.guest("<i>Ann</i> & Co", room)
    bob = await windows.guest("نور الدين", room, gateway=1)
    markup = '<img src="x" onerror="document.title=1"><script>document.title=2</script> <b>bold</b> &amp; ${1+1}'
    mixed = "مرحبا بالعالم (abc) 123!"
    await ann.say(markup)
    await bob.sees(markup)
    await bob.say(mixed)
    await ann.sees(markup, mixed)
    await expect(ann.part("message-sender").nth(0)).to_have_text("<i>Ann</i> & Co")
    assert await ann.page.title() not in {"1", "2"}
    assert await ann.page.locator("#messages img, #messages script, #messages b").count() == 0
    directions = await ann.part("message-body").evaluate_all("all => all.map(e => getComputedStyle(e).direction)")
    assert directions == ["ltr", "rtl"]
    sender = ann.part("message").nth(1).locator("bdi")
    assert await sender.evaluate("each => getComputedStyle(each).unicodeBidi") == "isolate"
    await ann.say("line one\n   indented\n\nline four")
    assert await bob.part("message-body").nth(2).inner_text() == "line one\n   indented\n\nline four"


async def test_a_message_that_failed_is_sent_again_or_discarded(windows: Windows) -> None:
    """It says why; sent again it has the same id, and is there once; discarded it is gone."""
    room = unique("failed")
    sent: list[str] = []
    ann = await windows.open(f"?room={room}")

    async def gateway_that_fails(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def to_server(frame: str | bytes) -> None:
            message = re.match(r'42(\d+)\["message",.*"id":"([^"]+)"', str(frame))
            if message:
                sent.append(message[2])
            if message and len(sent) in (1, 2):
                socket.send(f"43{message[1]}{_BROKEN}")
            else:
                server.send(frame)

        socket.on_message(to_server)

    await ann.page.route_web_socket(re.compile("/socket.io/"), gateway_that_fails)
    await ann.page.reload()
    await ann.part("name-input").fill("Ann")
    await ann.part("enter-button").click()
    await ann.is_connected()
    bob = await windows.guest("Bob", room, gateway=1)

    await ann.say("one")
    await expect(ann.part("message-delivery")).to_have_text("Not sent. something broke")
    await ann.say("two")
    await expect(ann.part("retry-button")).to_have_count(2)
    await ann.shoot("failed")
    await ann.part("discard-button").nth(1).click()
    await ann.sees("one")
    await ann.part("retry-button").click()
    await expect(ann.part("message")).to_have_attribute("data-state", "sent")
    await ann.say("three")
    await bob.sees("one", "three")
    assert sent[0] == sent[2]
    assert len(set(sent)) == 3


async def test_scrolling_up_goes_back_to_the_first_message(stack: TestStack, windows: Windows) -> None:
    """Page by page, each message once and in order, while the place that is read stays where it is."""
    room = unique("long")
    async with PythonClient(stack.gateway_urls[0], await stack.token()) as writer:
        await writer.join(room)
        for number in range(130):
            await writer.say(room, f"m{number}", f"message {number}")
    ann = await windows.guest("Ann", room)
    await expect(ann.part("message").last).to_be_in_viewport()
    await expect(ann.part("message")).not_to_have_count(130)
    scroller = ann.part("message-list")
    top = await scroller.evaluate("list => (list.scrollTo(0, 0), list.querySelector('.body').textContent)")
    await expect(ann.part("message-body").first).not_to_have_text(top)
    await expect(ann.page.get_by_text(top, exact=True)).to_be_in_viewport()
    while not await ann.page.get_by_text("This is the beginning").is_visible():
        await scroller.evaluate("list => list.scrollTo(0, 0)")
    bodies = await ann.part("message-body").all_inner_texts()
    assert bodies == [f"message {number}" for number in range(130)]
    async with PythonClient(stack.gateway_urls[0], await stack.token()) as writer:
        await writer.join(room)
        await writer.say(room, "news", "news")
    await expect(ann.part("jump-button")).to_be_visible()
    await ann.part("jump-button").click()
    await expect(ann.page.get_by_text("news", exact=True)).to_be_in_viewport()


async def test_a_private_room_is_refused_in_words(windows: Windows) -> None:
    """The page says what the server said."""
    dan = await windows.open("?room=g-secret")
    await dan.part("name-input").fill("Dan")
    await dan.part("enter-button").click()
    await expect(dan.part("error-banner")).to_contain_text("not a member")
    await expect(dan.part("composer")).to_be_disabled()
    await expect(dan.part("invite-button")).to_be_hidden()
    await expect(dan.part("leave-button")).to_be_hidden()


async def test_nobody_is_asked_to_write_to_a_backend(stack: TestStack, windows: Windows) -> None:
    """What a backend said is there like any message; its name leads nowhere, as there is nobody to talk to."""
    room = unique("builds")
    ann = await windows.guest("Ann", room)
    await (await backend(stack, "publish")).post(
        f"/api/rooms/{room}/messages", {"id": "b-1", "body": "Build 7 failed"}
    )
    await ann.sees("Build 7 failed")
    await expect(ann.part("message-sender")).to_be_disabled()
