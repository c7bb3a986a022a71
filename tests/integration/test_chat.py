"""The main job: people in a room hear each other, whatever gateway, transport and client they use."""

from typing import Any

import pytest

from tests.support.clients.parley import JsClient, PythonClient
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until

TRANSPORTS = [None, ["websocket"], ["polling"]]


def _options(transports: list[str] | None) -> dict[str, Any]:
    return {} if transports is None else {"transports": transports}


@pytest.mark.parametrize("transports", TRANSPORTS, ids=["default", "websocket", "polling"])
async def test_official_clients_chat_through_two_gateways(stack: TestStack, transports: list[str] | None) -> None:
    """JavaScript on gateway 1 and Python on gateway 2: messages both ways, kept; typing and events, not kept."""
    room = unique("chat")
    first, second = stack.gateway_urls
    options = _options(transports)
    async with (
        JsClient(first, await stack.token(), **options) as js,
        PythonClient(second, await stack.token(), **options) as python,
    ):
        assert js.of("session")[0]["gateway"] == "gateway-1"
        assert python.of("session")[0]["gateway"] == "gateway-2"
        await js.join(room)
        await python.join(room)

        acks = [await js.say(room, "from-js", "héllo ✓", data={"a": [1, None]}), await python.say(room, "from-py")]

        for client in (js, python):
            await until(lambda c=client: len(c.messages(room)) == 2, "both messages")  # type: ignore[misc]
            one, two = client.messages(room)
            assert [one["seq"], two["seq"]] == [ack["seq"] for ack in acks]
            assert [one["prev"], two["prev"]] == [0, one["seq"]]
            assert one["body"] == "héllo ✓"
            assert one["data"] == {"a": [1, None]}
            assert one["ts"] == acks[0]["ts"]
            assert one["from"] == {
                "id": js.of("session")[0]["user"]["id"],
                "display_name": one["from"]["display_name"],
            }

        assert await js.call("typing", {"room": room, "active": True}) == {"ok": True}
        event = {"room": room, "name": "cursor", "data": {"x": 1}}
        assert await python.call("event", event) == {"ok": True}
        await until(lambda: bool(python.of("typing")) and bool(js.of("event")), "typing and event")
        assert python.of("typing") == [{"room": room, "user": one["from"]["id"], "active": True}]
        assert js.of("event") == [{**event, "user": two["from"]["id"]}]
        assert js.of("typing") == [], "nobody hears their own typing"
        assert python.of("event") == [], "nobody hears their own event"

        page = await python.call("history", {"room": room})
        assert page == {"ok": True, "messages": [one, two], "more": False}


async def test_default_transports_upgrade_to_websocket(stack: TestStack) -> None:
    """The JavaScript client begins with polling, and ends on WebSocket."""
    async with JsClient(stack.gateway_urls[0], await stack.token()) as js:
        await until(lambda: bool(js.happened("upgraded")), "the upgrade")
        assert js.happened("opened")[0]["transport"] == "polling"
        assert js.happened("upgraded")[0]["transport"] == "websocket"


async def test_one_senders_messages_keep_their_order(stack: TestStack) -> None:
    """Messages sent without waiting for acknowledgements are stored in the order they were sent."""
    room = unique("order")
    async with PythonClient(stack.gateway_urls[0], await stack.token(), transports=["websocket"]) as client:
        await client.socket.emit("join", {"room": room})
        for number in range(300):
            await client.socket.emit("message", {"room": room, "id": f"m{number}", "body": str(number)})
        await until(lambda: len(client.messages(room)) == 300, "all of them")
        assert [each["body"] for each in client.messages(room)] == [str(number) for number in range(300)]


async def test_same_id_again_is_the_same_message(stack: TestStack) -> None:
    """Through another gateway too: stored once, shown once, and the second ack tells the first seq and ts."""
    room, other_room = unique("dup"), unique("dup")
    token = await stack.token()
    first, second = stack.gateway_urls
    async with (
        PythonClient(first, token) as one,
        PythonClient(second, token) as two,
        PythonClient(second, await stack.token()) as stranger,
    ):
        for client in (one, two, stranger):
            await client.join(room)
            await client.join(other_room)
        ack = await one.say(room, "m1", "the first")
        assert ack["duplicate"] is False
        assert await two.say(room, "m1", "the second") == {**ack, "duplicate": True}
        assert await one.say(room, "m1", "the third") == {**ack, "duplicate": True}
        elsewhere = await one.say(other_room, "m1", "another room")
        somebody = await stranger.say(room, "m1", "another user")
        assert elsewhere["duplicate"] is False
        assert somebody["duplicate"] is False

        await until(lambda: len(stranger.messages(room)) == 2 and len(two.messages(room)) == 2, "the two messages")
        assert [each["body"] for each in two.messages(room)] == ["the first", "another user"]
        page = await one.call("history", {"room": room})
        assert [each["body"] for each in page["messages"]] == ["the first", "another user"]


async def test_leaving_a_room_ends_its_messages(stack: TestStack) -> None:
    """After `leave`, nothing of the room arrives, and sending to it is refused."""
    room = unique("leave")
    async with (
        PythonClient(stack.gateway_urls[0], await stack.token()) as leaver,
        PythonClient(stack.gateway_urls[0], await stack.token()) as other,
    ):
        await leaver.join(room)
        await other.join(room)
        assert await leaver.call("leave", {"room": room}) == {"ok": True}
        await other.say(room, "m1")
        assert (await leaver.say(room, "m2"))["error"]["code"] == "not_joined"
        await leaver.join(room)
        await other.say(room, "m3")
        await until(lambda: bool(leaver.messages(room)), "the message after coming back")
        assert [each["id"] for each in leaver.messages(room)] == ["m3"]


async def test_join_after_tells_what_was_missed_before_it_acknowledges(stack: TestStack) -> None:
    """`after` brings what came since, once and in order, and says how much it was."""
    room = unique("resume")
    async with PythonClient(stack.gateway_urls[0], await stack.token()) as sender:
        await sender.join(room)
        seqs = [(await sender.say(room, f"m{number}"))["seq"] for number in range(20)]
        async with PythonClient(stack.gateway_urls[1], await stack.token()) as late:
            ack = await late.join(room, after=seqs[4])
            assert ack == {"ok": True, "room": room, "seq": seqs[-1], "missed": 15, "truncated": False}
            assert [each["seq"] for each in late.messages(room)] == seqs[5:]
            assert late.messages(room)[0]["prev"] == seqs[4]
            last = (await sender.say(room, "m20"))["seq"]
            await until(lambda: len(late.messages(room)) == 16, "the live one")
            assert late.messages(room)[-1]["seq"] == last
            assert late.messages(room)[-1]["prev"] == seqs[-1]


async def test_join_after_brings_at_most_the_newest_500(stack: TestStack) -> None:
    """Above 500 missed messages the newest 500 come and `truncated` is true; `history` has the rest."""
    room = unique("truncated")
    async with PythonClient(stack.gateway_urls[0], await stack.token(), transports=["websocket"]) as sender:
        await sender.join(room)
        for number in range(520):
            await sender.socket.emit("message", {"room": room, "id": f"m{number}", "body": str(number)})
        await until(lambda: len(sender.messages(room)) == 520, "all stored")
        async with PythonClient(stack.gateway_urls[1], await stack.token()) as late:
            ack = await late.join(room, after=0)
            assert (ack["missed"], ack["truncated"]) == (500, True)
            assert [each["body"] for each in late.messages(room)] == [str(number) for number in range(20, 520)]
            page = await late.call("history", {"room": room, "before": late.messages(room)[0]["seq"]})
            assert [each["body"] for each in page["messages"]] == [str(number) for number in range(20)]
