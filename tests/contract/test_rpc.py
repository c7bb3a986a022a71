"""The end of a service, against a real nats-server: whoever had asked is answered."""

import asyncio
from typing import Final

from runtime import rpc
from runtime.bus import Bus
from runtime.rpc import Caller
from tests.support.nats_server import connected, nats_server
from tests.support.waiting import until
from wire.accounts import GetKeys, Keys
from wire.codec import encode
from wire.errors import ParleyError
from wire.messages import Message

SUBJECT: Final = "slow.keys"
ASKED: Final = 5
NOBODY: Final = "nobody answers"


class _Slow:
    """A service that answers one request at a time, and none before it may."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.began = 0
        self.may_answer = asyncio.Event()
        self.may_end = asyncio.Event()

    async def serve(self) -> None:
        """Until it may end."""
        endpoints = [rpc.Endpoint(SUBJECT, GetKeys, self._keys, concurrency=1)]
        async with rpc.responder(self._bus, "slow", "1.0.0", endpoints):
            await self.may_end.wait()

    async def _keys(self, _request: GetKeys) -> Message:
        self.began += 1
        await self.may_answer.wait()
        return Keys(keys=[])


async def test_a_service_that_ends_answers_what_it_was_asked_before() -> None:
    """The request under way, and those behind it that nobody has looked at yet; later ones find nobody."""
    async with nats_server() as server, connected(server.url) as ours, connected(server.url) as theirs:
        slow = _Slow(ours)
        serving = asyncio.create_task(slow.serve())
        ask = Caller(theirs, SUBJECT, Keys, timeout=5.0)
        first = asyncio.create_task(_asked(ask))
        await until(lambda: slow.began == 1, "the first request to be under way")
        others = [asyncio.create_task(ask(GetKeys())) for _ in range(ASKED)]
        assert await theirs.round_trip(5.0)
        assert await ours.round_trip(5.0), "all that was asked has come"
        slow.may_end.set()

        async def nobody_answers() -> bool:
            try:
                await Caller(theirs, SUBJECT, Keys, timeout=0.1)(GetKeys())
            except ParleyError as error:
                return error.message == NOBODY
            return False

        await until(nobody_answers, "it to take no more")
        assert not serving.done()
        slow.may_answer.set()
        assert await asyncio.gather(first, *others) == [Keys(keys=[])] * (1 + ASKED)
        await serving


async def test_a_question_whose_answer_would_go_elsewhere_is_not_answered() -> None:
    """Or whoever asks would have it published, where the service may publish and they may not."""
    async with nats_server() as server, connected(server.url) as ours, connected(server.url) as theirs:
        slow = _Slow(ours)
        slow.may_answer.set()
        serving = asyncio.create_task(slow.serve())
        await _asked(Caller(theirs, SUBJECT, Keys, timeout=5.0))
        heard: list[bytes] = []
        theirs.listen("control.>", lambda delivery: heard.append(delivery.subject))
        for elsewhere in ("control.user.u", "", "_INBOX", "x._INBOX.y"):
            theirs.publish(SUBJECT, encode(GetKeys()), reply=elsewhere)
        await Caller(theirs, SUBJECT, Keys, timeout=5.0)(GetKeys())
        assert (slow.began, heard) == (2, []), "nothing was done for them, either"
        slow.may_end.set()
        await serving


async def _asked(ask: Caller[Keys]) -> Keys:
    """Ask until the service is there."""
    while True:
        try:
            return await ask(GetKeys())
        except ParleyError as error:
            if error.message != NOBODY:
                raise
            await asyncio.sleep(0.02)
