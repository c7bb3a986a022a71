"""The gateway and every official client, those too that no other test uses: JavaScript's oldest, Python's sync."""

import pytest

from tests.support.clients.kinds import client
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("transports", [["polling", "websocket"], ["websocket"], ["polling"]], ids="+".join)
@pytest.mark.parametrize("kind", ["js-oldest", "python-sync", "js", "python"])
async def test_every_official_client_chats(stack: TestStack, kind: str, transports: list[str]) -> None:
    """Two of a kind on two gateways: in, both ways, told of each other, and out."""
    room = unique("versions")
    first, second = stack.gateway_urls
    async with (
        client(kind, first, auth={"token": await stack.token()}, transports=transports) as one,
        client(kind, second, auth={"token": await stack.token()}, transports=transports) as two,
    ):
        for each in (one, two):
            await until(lambda each=each: bool(each.heard("session")), "the session event")  # type: ignore[misc]
            assert (await each.ask("join", {"room": room}))[0]["ok"]
        for number, each in enumerate((one, two, one)):
            ack = (await each.ask("message", {"room": room, "id": f"m{number}", "body": "héllo ✓"}))[0]
            assert ack["ok"]
        for each in (one, two):
            await until(lambda each=each: len(each.heard("message")) == 3, "all three")  # type: ignore[misc]
            assert [message["id"] for (message,) in each.heard("message")] == ["m0", "m1", "m2"]
        assert one.transport == two.transport == ("polling" if transports == ["polling"] else "websocket")


@pytest.mark.parametrize("kind", ["js-oldest", "python-sync", "js", "python"])
async def test_every_official_client_is_refused_with_a_code(stack: TestStack, kind: str) -> None:
    """A token that is none."""
    async with client(kind, stack.gateway_urls[0], auth={"token": "none"}, transports=["websocket"]) as one:
        await until(lambda: bool(one.happened("connect_error")), "the refusal")
        data = one.happened("connect_error")[0]["data"]
        assert (data if kind.startswith("js") else data["data"])["code"] == "unauthorized"
