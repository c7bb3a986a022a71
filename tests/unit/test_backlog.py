"""Slow readers: bounded each and together, let go once, and forgotten."""

from collections.abc import Iterator
from unittest import mock

import pytest

from services.gateway.edge import backlog, frames, metrics
from services.gateway.edge.backlog import Backlog
from services.gateway.edge.limits import Limits
from services.gateway.edge.polling import PACKETS_A_POLL, DuplicatePollError, Polling
from services.gateway.edge.session import Reason, Session
from tests.support.edge import Clockwork, Ears

LIMITS = Limits(unsent_most=1000, unsent_total_most=2500, stall_timeout=5)


class _Reader:
    """Somebody who is behind."""

    def __init__(self, watch: Backlog, *, may_pause: bool = False) -> None:
        self.watch = watch
        self.unsent = 0
        self.session: Session | None = None
        self.may_pause = may_pause
        self.is_gone = False
        self.takes_along: list[_Reader] = []

    def behind(self, size: int) -> "_Reader":
        """`size` bytes wait, where nothing did."""
        self.unsent = size
        self.watch.add(self)
        return self

    def grow(self, size: int) -> None:
        """`size` more bytes wait."""
        self.unsent += size
        self.watch.grew(self, size)

    def let_go(self) -> None:
        """See `backlog.Reader`."""
        assert not self.is_gone
        self.is_gone = True
        for each in self.takes_along:
            self.watch.remove(each)


@pytest.fixture
def clockwork() -> Iterator[Clockwork]:
    """The loop of this test."""
    clock = Clockwork()
    with mock.patch.object(backlog, "asyncio", clock):
        yield clock


@pytest.fixture
def watch(clockwork: Clockwork) -> Backlog:
    """With limits that a test can exceed."""
    del clockwork
    return Backlog(LIMITS)


def _closed(reason: str) -> float:
    return float(metrics.slow_readers_closed.labels(reason=reason)._value.get())


def test_a_reader_is_let_go_above_its_bound_and_not_below(watch: Backlog) -> None:
    """Counted once, with what it was."""
    before = _closed("behind")
    reader = _Reader(watch).behind(900)
    reader.grow(100)
    assert not reader.is_gone
    reader.grow(1)
    assert reader.is_gone
    assert _closed("behind") == before + 1
    assert _Reader(watch).behind(1001).is_gone
    assert metrics.slow_readers._value.get() == 0


def test_a_reader_that_reads_nothing_is_let_go_after_the_stall_timeout(watch: Backlog, clockwork: Clockwork) -> None:
    """However little waits; one that reads a byte now and then is not, and one that may pause is not."""
    before = _closed("stalled")
    dead, slow, polls = _Reader(watch).behind(10), _Reader(watch).behind(500), _Reader(watch, may_pause=True)
    polls.behind(10)
    for _ in range(4):
        clockwork.pass_time(1)
        slow.unsent -= 1
        dead.grow(1)
    assert not dead.is_gone
    clockwork.pass_time(1.6)
    assert [dead.is_gone, slow.is_gone, polls.is_gone] == [True, False, False]
    assert _closed("stalled") == before + 1
    assert metrics.unsent_bytes._value.get() == 506


def test_above_the_total_the_furthest_behind_go_first(watch: Backlog) -> None:
    """As many as it takes to come down to nine tenths; a reader far below its own bound may stay."""
    readers = [_Reader(watch).behind(size) for size in (900, 100, 800, 650)]
    assert not any(each.is_gone for each in readers)
    last = _Reader(watch).behind(60)
    assert [each.is_gone for each in [*readers, last]] == [True, False, False, False, False]


def test_what_has_been_read_meanwhile_does_not_count_against_the_total(watch: Backlog) -> None:
    """The running total is only ever too high, and nobody goes for that."""
    readers = [_Reader(watch).behind(900) for _ in range(2)]
    for reader in readers:
        reader.unsent = 1
    more = _Reader(watch).behind(900)
    assert not any(each.is_gone for each in [*readers, more])


def test_readers_may_go_while_others_are_let_go(watch: Backlog, clockwork: Clockwork) -> None:
    """One takes another with it, in a sweep."""
    first, second = _Reader(watch).behind(10), _Reader(watch).behind(10)
    first.takes_along, second.takes_along = [second], [first]
    clockwork.pass_time(6)
    assert first.is_gone or second.is_gone
    assert metrics.slow_readers._value.get() == 0
    clockwork.pass_time(1)
    assert metrics.unsent_bytes._value.get() == 0


def test_nobody_behind_costs_nothing(watch: Backlog, clockwork: Clockwork) -> None:
    """The last one to catch up ends the timer, and leaves nothing that is counted."""
    reader = _Reader(watch).behind(10)
    watch.remove(reader)
    watch.remove(reader)
    reader.grow(5000)
    clockwork.pass_time(1)
    assert watch._timer is None
    assert metrics.unsent_bytes._value.get() == 0


# --- a client that polls --------------------------------------------------------------------------------------------


def _polling(watch: Backlog) -> tuple[Polling, Session, Ears]:
    engine, transport = Ears(), Polling(watch)
    session = transport.session = Session(engine, "s", transport)
    return transport, session, engine


async def test_a_polling_client_is_bounded_between_two_polls(watch: Backlog) -> None:
    """It is let go once, counted once, and what waited is freed."""
    before = _closed("behind")
    transport, session, engine = _polling(watch)
    for _ in range(30):
        session.write(frames.text(b"x" * 100))
    assert len(engine.ends) == 1
    assert _closed("behind") == before + 1
    assert await transport.poll() == "6"
    assert transport.unsent == 0
    assert metrics.slow_readers._value.get() == 0


async def test_a_polling_client_that_got_less_than_all_is_still_bounded(watch: Backlog) -> None:
    """One poll takes 16 packets; what stays counts, although somebody was polling when it came."""
    transport, session, engine = _polling(watch)
    transport._poll = mock.Mock(done=lambda: True)  # somebody polls
    session.write(frames.text(b"x") * (PACKETS_A_POLL + 1))
    transport._poll = None
    await transport.poll()
    for _ in range(30):
        session.write(frames.text(b"x" * 100))
    assert engine.ends


class _Stream:
    """An HTTP connection whose client reads when a test says so."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.aborted = False

    def get_write_buffer_size(self) -> int:
        """See asyncio."""
        return self.size

    def abort(self) -> None:
        """See asyncio."""
        self.aborted = True


def _answered(transport: Polling, size: int) -> _Stream:
    stream = _Stream(size)
    transport.begin_answer(stream)  # type: ignore[arg-type]
    transport.count()
    return stream


async def test_an_answer_that_is_not_read_counts_with_what_is_queued_behind_it(watch: Backlog) -> None:
    """Both together are bounded, and both are freed."""
    transport, session, engine = _polling(watch)
    stream = _answered(transport, 600)
    session.write(frames.text(b"x" * 300))
    assert (transport.unsent, engine.ends) == (900, [])
    session.write(frames.text(b"x" * 300))
    assert (stream.aborted, len(engine.ends), transport.unsent) == (True, 1, 0)


async def test_an_answer_that_is_not_read_stalls_and_one_that_is_does_not(
    watch: Backlog, clockwork: Clockwork
) -> None:
    """A client may take its time between two polls, not while it is given an answer; slow is not stalled."""
    slow, dead, idle = _polling(watch), _polling(watch), _polling(watch)
    reading, stuck = _answered(slow[0], 500), _answered(dead[0], 500)
    idle[1].write(frames.text(b"x"))
    for _ in range(7):
        clockwork.pass_time(1)
        reading.size -= 1
    assert [bool(engine.ends) for _, _, engine in (slow, dead, idle)] == [False, True, False]
    assert (reading.aborted, stuck.aborted) == (False, True)
    reading.size = 0
    slow[0].end_answer()
    assert len(watch._behind) == 1


async def test_a_client_reads_its_answer_before_it_polls_again(watch: Backlog) -> None:
    """Otherwise it could have any number of answers on their way."""
    transport, _, _ = _polling(watch)
    _answered(transport, 500)
    with pytest.raises(DuplicatePollError):
        await transport.poll()
    transport.end_answer()
    transport.prepare_upgrade()
    assert await transport.poll() == "6"


async def test_an_answer_is_watched_until_it_is_taken_also_after_the_end(watch: Backlog) -> None:
    """A session that has ended owes nothing more; its last answer may still be on its way."""
    transport, session, engine = _polling(watch)
    stream = _answered(transport, 500)
    session.close(Reason.SERVER, last=frames.CLOSE)
    assert (len(watch._behind), len(engine.ends)) == (1, 1)
    _Reader(watch).behind(999), _Reader(watch).behind(998)
    assert not stream.aborted
    watch._let_go(transport, "overload")
    assert (stream.aborted, len(engine.ends)) == (True, 1)
    transport.end_answer()
    assert transport not in watch._behind


async def test_a_polling_client_that_keeps_up_is_not_let_go_however_long(watch: Backlog) -> None:
    """Even when its queue is never empty: letters of several bytes, and the heads of frames, are read with it."""
    transport, session, engine = _polling(watch)
    session.write(frames.text("é€".encode()) * PACKETS_A_POLL)
    for _ in range(200):
        session.write(frames.text("é€".encode()) * PACKETS_A_POLL)
        await transport.poll()
    assert not engine.ends
    await transport.poll()
    assert transport.unsent == 0
