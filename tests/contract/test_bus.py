"""What the bus promises, against a real nats-server: order, bounds, one answer, and life after every error."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from runtime import metrics
from runtime.bus import Bus
from runtime.lifecycle import Lifecycle
from runtime.listening import Delivery
from tests.support.nats_server import NatsServer, connected, nats_server
from tests.support.waiting import until
from wire.errors import ErrorCode, ParleyError


@pytest_asyncio.fixture(loop_scope="session")
async def server() -> AsyncIterator[NatsServer]:
    """A server of its own for each test."""
    async with nats_server() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def bus(server: NatsServer) -> AsyncIterator[Bus]:
    """A connection to it."""
    async with connected(server.url) as connection:
        yield connection


def _code(call: Any) -> ErrorCode:
    with pytest.raises(ParleyError) as refused:
        call()
    return refused.value.code


def _ignore(_delivery: Delivery) -> None:
    pass


async def _echo(bus: Bus, subject: str) -> None:
    async def answer(message: Any) -> None:
        await message.respond(message.data)

    await bus.client.subscribe(subject, cb=answer)


async def test_what_is_published_after_a_listen_is_heard_in_order(bus: Bus) -> None:
    """Also beside what nats-py sends itself; with headers and without, whole and raw."""
    heard: list[Delivery] = []
    for number in range(50):
        subject = f"order.{number}"
        bus.listen(subject, heard.append)
        bus.publish(subject, b"1")
        await bus.client.publish(subject, b"2")
        bus.publish(subject, b"3", headers=b"NATS/1.0\r\nA: b\r\n\r\n")
    assert await bus.round_trip(5)
    assert [each.data for each in heard] == [b"1", b"2", b"3"] * 50
    assert heard[-1] == Delivery(b"order.49", b"3", b"NATS/1.0\r\nA: b\r\n\r\n")


async def test_a_request_after_a_listen_finds_it_subscribed(bus: Bus) -> None:
    """As rooms rely on: what happens after the answer is heard."""
    await _echo(bus, "ask")
    heard: list[Delivery] = []
    bus.listen("ask", heard.append)
    assert (await bus.request("ask", b"question", timeout=5)).data == b"question"
    assert [each.data for each in heard] == [b"question"]


async def test_a_closed_listening_hears_nothing(bus: Bus) -> None:
    """Not even what has arrived already; closing again does nothing."""
    heard: list[Delivery] = []

    def close(delivery: Delivery) -> None:
        heard.append(delivery)
        listening.close()
        listening.close()

    listening = bus.listen("once", close)
    for _ in range(3):
        bus.publish("once", b"")
    assert await bus.round_trip(5)
    assert len(heard) == 1


async def test_an_exception_in_a_callback_harms_nobody(bus: Bus) -> None:
    """It is counted; the callback gets the next message, and the connection is the same."""
    before = metrics.nats_errors.labels(kind="callback")._value.get()
    heard: list[Delivery] = []

    def fails(delivery: Delivery) -> None:
        heard.append(delivery)
        1 / 0  # noqa: B018

    bus.listen("fails", fails)
    bus.publish("fails", b"1")
    bus.publish("fails", b"2")
    assert await bus.round_trip(5)
    assert len(heard) == 2
    assert metrics.nats_errors.labels(kind="callback")._value.get() == before + 2
    assert bus.client.stats["reconnects"] == 0


async def test_a_subject_that_is_not_utf_8_harms_nobody(bus: Bus) -> None:
    """Anybody who may publish can choose it: ours hear it as it is, nats-py's own subscriptions lose it."""
    ours: list[Delivery] = []
    theirs: list[bytes] = []

    async def hear(message: Any) -> None:
        theirs.append(message.data)

    bus.listen("odd.*", ours.append)
    await bus.client.subscribe("odd.*", cb=hear)
    bus.client.send(b"PUB odd.\xff 1\r\n1\r\n")
    bus.publish("odd.even", b"2")
    await until(lambda: theirs == [b"2"], "the next message")
    assert [each.subject for each in ours] == [b"odd.\xff", b"odd.even"]
    assert bus.client.stats["reconnects"] == 0


@pytest.mark.parametrize("subject", ["", "a b", "a\r\nPUB b 0\r\n", "a\tb"])
async def test_a_subject_cannot_carry_protocol(bus: Bus, subject: str) -> None:
    """It is refused where it is used, whichever way."""
    for use in (partial(bus.publish, subject, b""), partial(bus.listen, subject, print)):
        with pytest.raises(ValueError, match="no subject"):
            use()


async def test_a_call_is_answered_once_and_a_late_reply_is_dropped(bus: Bus) -> None:
    """Unavailable when its time is over; what comes then is counted and told to nobody."""
    replies: list[Delivery | ParleyError] = []
    questions: list[Any] = []

    async def keep(message: Any) -> None:
        questions.append(message)

    await bus.client.subscribe("slow", cb=keep)
    before = metrics.nats_late_replies._value.get()
    started = time.monotonic()
    for _ in range(3):
        bus.call("slow", b"", replies.append, timeout=0.2)
    await until(lambda: len(replies) == 3, "the end of its time")
    assert 0.2 <= time.monotonic() - started < 2
    assert all(isinstance(each, ParleyError) and each.code is ErrorCode.UNAVAILABLE for each in replies)
    assert not bus._calls._waiting
    for each in questions:
        await each.respond(b"late")
    await until(lambda: metrics.nats_late_replies._value.get() == before + 3, "the late replies")
    assert len(replies) == 3


async def test_calls_fall_due_by_their_own_timeout(bus: Bus) -> None:
    """Long before short: each is told in its time, and one that was answered is not told again."""
    await _echo(bus, "echo")
    bus.listen("silent", _ignore)
    told: list[tuple[str, bool]] = []

    def tell(name: str, reply: Delivery | ParleyError) -> None:
        told.append((name, isinstance(reply, Delivery)))

    bus.call("silent", b"", partial(tell, "long"), timeout=0.4)
    bus.call("silent", b"", partial(tell, "short"), timeout=0.1)
    bus.call("echo", b"", partial(tell, "answered"), timeout=0.1)
    await until(lambda: len(told) == 3, "all of them")
    assert told == [("answered", True), ("short", False), ("long", False)]


async def test_no_responders_is_told_at_once(bus: Bus) -> None:
    """Nobody waits for a service that is not there."""
    started = time.monotonic()
    with pytest.raises(ParleyError) as refused:
        await bus.request("nobody", b"", timeout=30)
    assert refused.value.code is ErrorCode.UNAVAILABLE
    assert time.monotonic() - started < 10


async def test_a_request_may_be_cancelled(bus: Bus) -> None:
    """Its reply, or its end, is then nobody's; nothing is left of it."""
    bus.listen("silent", _ignore)
    asking = asyncio.create_task(bus.request("silent", b"", timeout=0.1))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await until(lambda: not bus._calls._waiting, "its time to be over")


async def test_a_callback_that_raises_when_its_time_is_over_does_not_stop_the_others(bus: Bus) -> None:
    """All are told, and later calls too."""
    bus.listen("silent", _ignore)
    told: list[object] = []

    def fails(reply: object) -> None:
        told.append(reply)
        raise RuntimeError

    for _ in range(2):
        bus.call("silent", b"", fails, timeout=0.1)
    await until(lambda: len(told) == 2, "both")
    bus.call("silent", b"", told.append, timeout=0.1)
    await until(lambda: len(told) == 3, "the third")


async def test_a_payload_above_what_the_server_takes_is_refused_here(bus: Bus) -> None:
    """With its headers, as the server counts; it would close the connection for good."""
    most = bus.client.max_payload
    heard: list[Delivery] = []
    bus.listen("large", heard.append)
    bus.publish("large", bytes(most))
    assert _code(lambda: bus.publish("large", bytes(most + 1))) is ErrorCode.TOO_LARGE
    block = b"NATS/1.0\r\n\r\n"
    assert _code(lambda: bus.publish("large", bytes(most), headers=block)) is ErrorCode.TOO_LARGE
    bus.publish("large", bytes(most - len(block)), headers=block)
    assert await bus.round_trip(5)
    assert [len(each.data) for each in heard] == [most, most - len(block)]


async def test_what_a_frozen_server_does_not_read_is_bounded(server: NatsServer, bus: Bus) -> None:
    """Above the bound it is refused at once; what was taken arrives when the server goes on, in order."""
    heard: list[int] = []
    bus.listen("frozen", lambda delivery: heard.append(int(delivery.data[:8])))
    assert await bus.round_trip(5)
    server.send_signal(signal.SIGSTOP)
    sent = 0
    try:
        code = None
        while code is None and sent < 1000:
            try:
                bus.publish("frozen", b"%08d" % sent + bytes(100_000))
                sent += 1
            except ParleyError as error:
                code = error.code
            await asyncio.sleep(0)
        assert code is ErrorCode.RATE_LIMITED
        assert bus.client.pending_data_size < 10 * 1024 * 1024
        replies: list[object] = []
        assert _code(lambda: bus.call("x", b"", replies.append, timeout=1)) is ErrorCode.RATE_LIMITED
        assert not replies
    finally:
        server.send_signal(signal.SIGCONT)
    await until(lambda: len(heard) == sent, "all of them")
    assert heard == list(range(sent))
    await until(lambda: bus.client.pending_data_size == 0, "nothing to wait")
    bus.publish("frozen", b"%08d" % sent)
    await until(lambda: len(heard) == sent + 1, "the next one")


async def test_ten_thousand_subjects_are_heard_again_after_a_restart(server: NatsServer, bus: Bus) -> None:
    """What was closed meanwhile is not; without a connection sending and asking are refused at once."""
    heard: list[bytes] = []
    listenings = [bus.listen(f"room.{number}", lambda each: heard.append(each.subject)) for number in range(10_000)]
    assert await bus.round_trip(20)
    await server.kill()
    await until(lambda: not bus.client.is_connected, "the outage to be seen")
    assert _code(lambda: bus.publish("room.1", b"")) is ErrorCode.UNAVAILABLE
    assert _code(lambda: bus.call("room.1", b"", print, timeout=1)) is ErrorCode.UNAVAILABLE
    assert not await bus.round_trip(1)
    for each in listenings[::2]:
        each.close()
    await server.start()
    await until(lambda: bus.round_trip(1), "the connection")
    for number in range(10_000):
        bus.publish(f"room.{number}", b"")
    assert await bus.round_trip(20)
    assert heard == [b"room.%d" % number for number in range(1, 10_000, 2)]


async def test_a_reconnect_that_is_handled_badly_is_logged_and_the_others_are_handled(
    server: NatsServer, bus: Bus
) -> None:
    """Whatever is raised there would be lost without a word."""
    handled = asyncio.Event()

    async def fail() -> None:
        raise RuntimeError("unexpected")

    async def handle() -> None:
        handled.set()

    bus.on_reconnect(fail)
    bus.on_reconnect(handle)
    with capture_logs() as logs:
        await server.kill()
        await server.start()
        await until(handled.is_set, "the reconnect to be handled")
        await until(lambda: not bus._tasks, "both to be done")
    assert [each["event"] for each in logs if each["log_level"] == "error"] == ["handling a reconnect failed"]


async def test_a_call_ends_with_its_connection(server: NatsServer) -> None:
    """Whoever waits when it is closed for good is told, once."""
    replies: list[object] = []
    async with connected(server.url) as bus:
        bus.listen("silent", _ignore)
        bus.call("silent", b"", replies.append, timeout=60)
        assert await bus.round_trip(5)
        assert not replies
    assert [type(each) for each in replies] == [ParleyError]
    assert _code(lambda: bus.publish("x", b"")) is ErrorCode.UNAVAILABLE


async def test_what_fails_the_process_is_told_and_not_that_the_connection_ends_with_it(server: NatsServer) -> None:
    """A port that is taken, say, when everything else has been opened."""
    lifecycle = Lifecycle()
    with pytest.raises(OSError, match="taken"):
        async with connected(server.url, lifecycle=lifecycle):
            raise OSError("taken")
    assert lifecycle.failure is None


async def test_what_was_published_last_leaves_before_the_connection_closes(server: NatsServer, bus: Bus) -> None:
    """Closing takes what waits with it."""
    heard: list[bytes] = []
    bus.listen("last", lambda each: heard.append(each.data))
    assert await bus.round_trip(5)
    async with connected(server.url) as other:
        for number in range(100):
            other.publish("last", b"%d" % number)
    await until(lambda: len(heard) == 100, "all of it")


@pytest.mark.parametrize("trap", ["error_cb", "-ERR without a reason", "pong"])
async def test_the_read_loop_does_not_die_in_silence(bus: Bus, trap: str) -> None:
    """What ends nats-py's loop makes ours connect again, or does not end it: either way messages come."""
    heard: list[bytes] = []
    bus.listen("alive", lambda each: heard.append(each.data))
    client: Any = bus.client
    if trap == "pong":
        gone = asyncio.get_running_loop().create_future()
        gone.cancel()
        await client._send_ping(gone)
        assert await bus.round_trip(5)
        assert client.stats["reconnects"] == 0
    else:

        async def fails(_error: Exception) -> None:
            client._error_cb = noted
            raise RuntimeError

        noted = client._error_cb
        client._error_cb = fails
        line = b"-ERR 'Permissions Violation'\r\n" if trap == "error_cb" else b"-ERR \r\n"
        client._transport._io_reader.feed_data(line)
        await until(lambda: client.stats["reconnects"] == 1 and client.is_connected, "the next connection")
        client._error_cb = noted
    bus.publish("alive", b"yes")
    await until(lambda: heard == [b"yes"], "a message")


@pytest.mark.filterwarnings("ignore:parameter 'timeout':DeprecationWarning")  # nats-py, of aiohttp
async def test_it_works_over_a_websocket(server: NatsServer) -> None:
    """The transport that has to be waited for: the same order, through nats-py's flusher."""
    async with connected(server.websocket_url) as bus:
        heard: list[int] = []
        bus.listen("ws", lambda each: heard.append(int(each.data)))
        for number in range(1000):
            bus.publish("ws", b"%d" % number)
        assert await bus.round_trip(10)
        assert heard == list(range(1000))
