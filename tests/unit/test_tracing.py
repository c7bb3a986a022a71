"""Where a request stands in a trace, while nobody records any."""

import asyncio
import re

import pytest
from opentelemetry.trace import SpanKind

from runtime import tracing
from wire import headers

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE = "0af7651916cd43dd8448eb211c80319c"
FORM = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00")


def test_a_request_without_a_parent_gets_a_trace_that_is_not_recorded() -> None:
    """Another for each, and the same however often one asks."""
    one, two = tracing.request("join"), tracing.request("join")
    assert FORM.fullmatch(one.traceparent)
    assert one.traceparent == one.traceparent
    assert one.trace_id != two.trace_id
    assert one.span is None


def test_what_is_asked_for_its_sake_belongs_to_it() -> None:
    """A question of nobody's has a trace of its own."""
    with tracing.request("GET /api/rooms", parent=PARENT) as request:
        assert tracing.traceparent() == request.traceparent == PARENT
        assert tracing.part("auth.verify", SpanKind.CLIENT) is None
    assert FORM.fullmatch(tracing.traceparent())
    assert tracing.traceparent() != tracing.traceparent()


async def test_what_outlives_a_request_does_not_belong_to_it() -> None:
    """A timer or a task that somebody's request has started, and that goes on, would be logged as theirs for ever."""
    may_go_on = asyncio.Event()

    async def work() -> tuple[str | None, str | None]:
        began = _trace_id()
        await may_go_on.wait()
        return began, _trace_id()

    with tracing.request("join", parent=PARENT):
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
    assert tracing.current() is None
    may_go_on.set()
    assert await task == (TRACE, None)


def _trace_id() -> str | None:
    here = tracing.current()
    return None if here is None else here.trace_id


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "nonsense",
        PARENT.upper(),
        PARENT[:-1],
        f"{PARENT}-more",
        f"{PARENT}\r\nNats-Msg-Id: mine",
        f"{PARENT}\n",
        PARENT.replace("00-", "ff-", 1),
    ],
)
def test_a_parent_that_is_none_is_not_passed_on(parent: str) -> None:
    """It may be of another version, or anybody's who may speak on NATS."""
    assert FORM.fullmatch(tracing.request("auth.verify", parent=parent).traceparent)


@pytest.mark.parametrize(
    ("values", "is_trusted", "expected"),
    [
        ([PARENT], False, f"{PARENT[:-2]}00"),
        ([PARENT], True, PARENT),
        ([f"{PARENT[:-2]}00"], True, f"{PARENT[:-2]}00"),
        ([f"{PARENT[:-2]}ff"], True, PARENT),
        ([f"cc-{PARENT[3:]}-what-comes-later"], True, PARENT),
        ([], True, ""),
        ([""], True, ""),
        (["nonsense"], True, ""),
        ([f"{PARENT}-more"], True, ""),
        ([f"00-{'0' * 32}-b7ad6b7169203331-01"], True, ""),
        ([f"00-{TRACE}-{'0' * 16}-01"], True, ""),
        ([f"ff-{PARENT[3:]}"], True, ""),
        ([f"cc-{PARENT[3:]}-{'x' * 600}"], True, ""),
        ([PARENT, PARENT], True, ""),
    ],
)
def test_what_comes_over_http(
    values: list[str],
    is_trusted: bool,  # noqa: FBT001
    expected: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """By the letter of W3C Trace Context; the flag only from who is trusted; and nothing is logged of it."""
    assert tracing.received(values, is_trusted=is_trusted) == expected
    assert not caplog.records


def test_messages_carry_nothing_while_nobody_records() -> None:
    """And no batch has a span or a trace."""
    assert tracing.recorded_part("publish message", SpanKind.PRODUCER, {}) is None
    with tracing.batch("persist messages", [PARENT], {}):
        assert tracing.current() is None


def test_a_failure_needs_no_recorder() -> None:
    """It is told, and forgotten."""
    with tracing.request("join") as request:
        request.failed("unavailable", is_ours=True)
    assert request.is_over


def test_the_header_of_a_question() -> None:
    """One line of a NATS header block."""
    assert headers.traced(PARENT) == f"NATS/1.0\r\ntraceparent: {PARENT}\r\n\r\n".encode()


def test_a_header_more_does_not_hide_where_a_message_stands() -> None:
    """nats-server adds its own behind what was published."""
    own = headers.identified("m", PARENT)
    position = b"Nats-Sequence: 42\r\nNats-Time-Stamp: 2026-01-01T00:00:00.5Z\r\nNats-Last-Sequence: 40\r\n\r\n"
    block = own[:-2] + position
    assert headers.position(block)[:2] == (42, 40)
    assert headers.position(b"NATS/1.0\r\n" + position)[:2] == (42, 40)
