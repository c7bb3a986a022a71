"""What every gateway must have heard before it serves: who may not be here any more.

It comes live over NATS, in the order of the stream CONTROL. What is missed, by whoever was cut off or has only just
begun, is read from the stream; until that is done, `is_current` says no, and nobody is served.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog

from runtime import stored
from runtime.bus import Bus
from runtime.listening import Delivery
from runtime.stored import Wanted
from services.gateway import metrics
from wire import codec, control, headers, streams, subjects
from wire.errors import ErrorCode, ParleyError

_LOOK_SECONDS: Final = 3.0
"""How often the stream is asked, without any sign of it, whether it has what was not heard."""
_STALE_SECONDS: Final = 10.0
"""How long it may not answer until what is known is not enough."""
_RETRY_SECONDS: Final = 0.5
_MEND: Final = "if the stream is not found: python -m services.history setup"
_TICK_SECONDS: Final = 0.5
_STOOD_STILL_SECONDS: Final = 2.0
"""When nothing was done for so long, what clients have sent meanwhile may be read before what was published."""

log = structlog.get_logger()

_decoder: codec.Decoder[control.Control] = codec.Decoder(control.Control)  # type: ignore[arg-type] # a union


class Control:
    """Hands each message to `apply`, in order; at the start only revocations, for nobody is here yet.

    A message may be handed on again when the stream was made anew. `on_current` is called each time `is_current`
    becomes true after it was not, and `on_abreast` whenever it was made sure that nothing is left to be read.
    """

    def __init__(
        self,
        bus: Bus,
        apply: Callable[[control.Control], None],
        on_current: Callable[[], None],
        on_abreast: Callable[[], None],
    ) -> None:
        self._bus = bus
        self._apply = apply
        self._on_current = on_current
        self._on_abreast = on_abreast
        self.is_current = False
        """Whether everything is known that was published until some seconds ago, and what follows is heard."""
        self._seq = 0
        """Everything up to there was applied."""
        self._created = ""
        """When the stream was made that this is a seq of."""
        self._reading = True
        """Until it is known for the first time what there is, and whenever what was missed is being read."""
        self._turned_at = time.monotonic()
        self._is_sure = True
        """Unless something was missed, or nothing was done for a while, and the stream was not looked at since."""
        self._signs = asyncio.Event()
        """Of there being something to read."""

    @property
    def is_abreast(self) -> bool:
        """Whether what is handed on happens now; otherwise more may have followed it already."""
        return self.is_current and self._is_sure and not (self._reading or self._signs.is_set())

    def check(self) -> None:
        """Raises `ParleyError` (unavailable) unless this is current."""
        self._turned()
        if not (self.is_current and self._is_sure):
            raise ParleyError(ErrorCode.UNAVAILABLE, "it is not known yet who may be here", retry_after=1)

    async def why_not_ready(self) -> str | None:
        """A readiness check."""
        return None if self.is_current else "has not heard who may not be here any more"

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        """Follow while the block runs, which begins once this is current, however long that takes."""
        self._bus.on_disconnect(self._cut_off)
        self._bus.on_reconnect(self._look_now)
        listening = self._bus.listen(subjects.CONTROL_INTEREST, self._on_live)
        began = asyncio.Event()
        tasks = {asyncio.create_task(self._follow(began)), asyncio.create_task(self._tick())}
        try:
            await began.wait()
            yield
        finally:
            listening.close()
            for each in tasks:
                each.cancel()
            await asyncio.wait(tasks)

    def _on_live(self, delivery: Delivery) -> None:
        position = headers.position(delivery.headers)
        if position.seq == self._seq + 1 and not self._reading:
            self._seq = position.seq
            self._hand_on(delivery.data)
            metrics.control_latency[()].observe(max(0.0, time.time() - position.stored_at))
        elif position.seq > self._seq:
            # Read in order, with what is missing before it; until then whoever it is about may be here no more.
            self._is_sure = False
            self._signs.set()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            self._turned()

    def _turned(self) -> None:
        before, self._turned_at = self._turned_at, time.monotonic()
        stood_still = self._turned_at - before
        if stood_still > _STOOD_STILL_SECONDS:
            # What comes live is in its order, and may go on: to read it all from the stream would make matters worse.
            log.warning("stood still: whether somebody was revoked is looked up", seconds=round(stood_still, 1))
            self._is_sure = False
            self._signs.set()

    def _cut_off(self) -> None:
        self.is_current = False
        metrics.control_current.set(0)
        self._signs.set()

    async def _look_now(self) -> None:
        self._signs.set()

    async def _follow(self, began: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        answered, is_failing = loop.time(), False
        while True:
            self._signs.clear()
            try:
                await self._read_up()
            except (ParleyError, codec.WireError) as error:
                if not is_failing:
                    log.warning("cannot read who may not be here any more", error=str(error), mend=_MEND)
                is_failing = True
                if self.is_current and loop.time() - answered > _STALE_SECONDS:
                    log.error("nobody is served until it is known who may not be here any more", mend=_MEND)  # noqa: TRY400
                    self._cut_off()
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                answered, is_failing = loop.time(), False
                if self.is_current:
                    began.set()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_SECONDS):
                        await self._signs.wait()

    async def _read_up(self) -> None:
        applied = self._seq
        found = await stored.info(self._bus, streams.CONTROL)
        last = found.state.last_seq
        if not self._created:
            await self._read_all((subjects.SESSIONS_REVOKED, subjects.USERS_REVOKED), 0, last)
        elif found.created != self._created or last < applied:
            log.error("the stream of revocations was made anew: those of before may be lost")
            await self._read_all((subjects.CONTROL,), 0, last)
        elif last > self._seq:  # which may have risen meanwhile
            await self._read_all((subjects.CONTROL,), self._seq, last)
        self._created = found.created
        # What came live while this was being read is read first: there may have been much to read.
        if self._signs.is_set() or not self._bus.client.is_connected:
            return
        self._is_sure = True
        was_current, self.is_current = self.is_current, True
        self._on_abreast()
        if not was_current:
            metrics.control_current.set(1)
            self._on_current()

    async def _read_all(self, kinds: tuple[str, ...], after: int, upto: int) -> None:
        self._is_sure = False
        self._reading = True
        try:
            for kind in kinds:
                await self._read(kind, after, upto)
            self._seq = upto
        finally:
            self._reading = False

    async def _read(self, kind: str, after: int, upto: int) -> None:
        """Hand on what of `kind` has ``after < seq <= upto``; what has outlived its time is not there any more."""
        while after < upto:
            entry = await stored.get(self._bus, streams.CONTROL, Wanted(seq=after + 1, next_by_subj=kind))
            if entry is None or entry.seq > upto:
                return
            after = entry.seq
            self._hand_on(entry.data)

    def _hand_on(self, data: bytes) -> None:
        try:
            message = _decoder.decode(data)
        except codec.WireError as error:
            log.error("unreadable control message", error=str(error))  # noqa: TRY400 - of a newer version
            return
        metrics.control_messages[str(message.__struct_config__.tag),] += 1
        try:
            self._apply(message)
        except Exception:
            log.exception("a control message could not be applied")  # what follows is all the same
