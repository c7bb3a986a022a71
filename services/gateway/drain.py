"""The end of a gateway: no client is let in, all are told, and they are sent to other gateways a few at a time."""

import asyncio
import random
from typing import Final

import structlog

from services.gateway import metrics
from services.gateway.clients import Clients
from services.gateway.connection import Connection
from services.gateway.edge.session import Session
from services.gateway.fanout import FanOut
from services.gateway.pushes import Draining, event

_LOOK_SECONDS: Final = 0.02
_WRITES_A_TURN: Final = 256

log = structlog.get_logger()


class Drain:
    """Of one gateway, once. While it runs, those who are there are served as ever, until it is their turn."""

    def __init__(self, clients: Clients, fan_out: FanOut, *, patience: float) -> None:
        """`patience`: how many seconds a client whose turn it is may wait for the answer to what it has sent."""
        self._clients = clients
        self._fan_out = fan_out
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._answering: dict[Session, float] = {}
        """Those whose turn it is, and until when what they sent may be under way."""
        self._closed = self._unanswered = 0

    async def run(self, seconds: float) -> None:
        """End every session, in random order and evenly over `seconds`, in the way that makes clients come back.

        What a client sent before its turn is answered before it is closed; what it sends from then on is not done.
        Ends earlier when all have gone by themselves.
        """
        began = self._loop.time()
        farewell = event("draining", Draining())
        sessions = self._clients.dismiss(farewell)
        metrics.draining.set(1)
        log.info("drain began", connections=len(sessions), seconds=seconds)
        await self._tell(sessions, farewell)
        random.shuffle(sessions)
        await self._take_turns(sessions, seconds)
        left = await self._clients.close()
        log.info(
            "drain ended",
            seconds=round(self._loop.time() - began, 3),
            closed=self._closed,
            unanswered=self._unanswered,
            left=left,
        )

    async def _tell(self, sessions: list[Session], farewell: bytes) -> None:
        for number, session in enumerate(sessions, start=1):
            if session.application is not None:
                self._fan_out.send(session.application, farewell)
            if number % _WRITES_A_TURN == 0:
                await asyncio.sleep(0)

    async def _take_turns(self, sessions: list[Session], seconds: float) -> None:
        began, done = self._loop.time(), 0
        while self._clients.has_sessions and (done < len(sessions) or self._answering):
            now = self._loop.time()
            # The first goes at once, and the last not later than it has to.
            due = int((now - began) / seconds * len(sessions)) + 1 if seconds else len(sessions)
            for session in sessions[done:due]:
                if not session.closed:
                    session.hold()
                    self._answering[session] = now + self._patience
            done = min(due, len(sessions))
            for session in [each for each, until in self._answering.items() if self._may_end(each, until)]:
                self._end(session)
            await asyncio.sleep(_LOOK_SECONDS)

    def _may_end(self, session: Session, until: float) -> bool:
        connection: Connection | None = session.application
        return session.closed or connection is None or not connection.events or self._loop.time() >= until

    def _end(self, session: Session) -> None:
        del self._answering[session]
        if session.closed:
            return
        connection: Connection | None = session.application
        result = "ok"
        if connection is not None:
            # Acknowledgements may wait for what is joined with them.
            self._fan_out.settle(connection)
            if connection.events:
                self._unanswered += 1
                result = "unanswered"
        self._closed += 1
        metrics.drained[result,] += 1
        session.send_away()
