"""Messages over HTTP on their way to a stream that takes its time."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio
from nats.aio.msg import Msg

from runtime.bus import Bus
from runtime.stream import MessageStream
from services.gateway.access import Access
from services.gateway.auth import Auth
from services.gateway.control import Control
from services.gateway.posting import Posting
from services.gateway.publisher import Publisher
from services.gateway.replies import Sent
from services.gateway.requests import SendMessage
from services.gateway.user_rate import UserRate
from tests.support.membership import Membership
from tests.support.nats_server import connected, nats_server
from tests.support.waiting import until
from wire import subjects
from wire.accounts import Service
from wire.errors import ErrorCode, ParleyError
from wire.messages import Author, ChatMessage

MOST: Final = 8
OF_SERVICES: Final = MOST // 4
BILLING: Final = Service(name="billing")


class SlowStream:
    """What stands where the stream does: it answers when it is told to."""

    def __init__(self, bus: Bus) -> None:
        self.waiting: list[Msg] = []
        self._bus = bus
        self._seq = 0

    async def listen(self) -> None:
        """From now on."""
        await self._bus.client.subscribe(subjects.STORED_MESSAGES, cb=self._on_message)

    async def answer(self) -> None:
        """All that wait are stored."""
        while self.waiting:
            self._seq += 1
            await self.waiting.pop(0).respond(b'{"stream":"MESSAGES","seq":%d}' % self._seq)

    async def _on_message(self, message: Msg) -> None:
        self.waiting.append(message)


class Heard:
    """A client that waits for its acknowledgement."""

    def __init__(self) -> None:
        self.told: list[Sent | ErrorCode] = []

    def began(self) -> None:
        """See `publisher.Teller`."""

    def ended(self) -> None:
        """See `publisher.Teller`."""

    def done(self, reply: Sent) -> None:
        """See `publisher.Teller`."""
        self.told.append(reply)

    def failed(self, error: ParleyError) -> None:
        """See `publisher.Teller`."""
        self.told.append(error.code)


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def bus() -> AsyncIterator[Bus]:
    """A connection to a server of this module's own."""
    async with nats_server() as server, connected(server.url) as connection:
        yield connection


async def test_backends_leave_room_for_clients(bus: Bus) -> None:
    """A quarter of what may be on its way is theirs, also when they do not wait; more is refused, and not stored."""
    stream = SlowStream(bus)
    await stream.listen()
    publisher = Publisher(bus, MessageStream(bus), timeout=5.0, most=MOST)
    auth = Auth(bus, Control(bus, lambda _: None, lambda: None, lambda: None), UserRate(0, 1))
    posting = Posting(auth, Access(Membership(), public_rooms=True), publisher, most=MOST)

    def post(id: str) -> "asyncio.Task[Sent]":
        return asyncio.ensure_future(posting.post(BILLING, SendMessage(room="lobby", id=id, body="hello")))

    first = [post(f"m{at}") for at in range(OF_SERVICES)]
    await until(lambda: len(stream.waiting) == OF_SERVICES, "them to be on their way")
    with pytest.raises(ParleyError) as caught:
        await post("more")
    assert (caught.value.code, caught.value.retry_after) == (ErrorCode.RATE_LIMITED, 1)
    for each in first:
        each.cancel()
    await asyncio.wait(first)
    with pytest.raises(ParleyError):
        await post("more")

    heard = Heard()
    message = ChatMessage(id="c", author=Author(id="u-ann", display_name="Ann"), body="hello", ts=1)
    for _ in range(MOST - OF_SERVICES):
        publisher.publish("lobby", message, heard)
    with pytest.raises(ParleyError):
        publisher.publish("lobby", message, heard)
    await until(lambda: len(stream.waiting) == MOST, "clients' messages to be on their way, too")
    await stream.answer()
    await until(lambda: len(heard.told) == MOST - OF_SERVICES, "the clients to be told")
    assert all(isinstance(each, Sent) for each in heard.told)
    again = post("more")
    await until(lambda: len(stream.waiting) == 1, "it to be on its way")
    await stream.answer()
    assert not (await again).duplicate
