"""What is recorded once somebody records, and what of it strangers have no say in."""

import asyncio

import pytest
from opentelemetry import context as otel
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler, TraceIdRatioBased
from opentelemetry.trace import SpanKind

from runtime import tracing
from runtime.trace_sdk import FairSampler
from wire.errors import ErrorCode, ParleyError

TRACE = "0af7651916cd43dd8448eb211c80319c"
RECORDED = f"00-{TRACE}-b7ad6b7169203331-01"
NOT_RECORDED = f"00-{TRACE}-b7ad6b7169203331-00"
LUCKY = f"00-{'0' * 31}1-b7ad6b7169203331-00"
"""Of an id that every ratio has."""


def _is_recorded(traceparent: str) -> bool:
    return int(traceparent[-2:], 16) & 1 == 1  # another bit says that the id is a random one


def _end(error: BaseException, said: str | None) -> None:
    with tracing.request("connect") as request:
        if said is not None:
            request.failed(said)
        raise error


class Recorded:
    """Spans as `sampler` lets them be."""

    def __init__(self, sampler: Sampler) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(sampler=FairSampler(sampler), shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self._tracer = provider.get_tracer("test")

    def __enter__(self) -> InMemorySpanExporter:
        tracing.record_with(self._tracer)
        return self._exporter

    def __exit__(self, *_: object) -> None:
        tracing.record_with(None)


@pytest.mark.parametrize(
    ("sampler", "parent", "is_stranger", "expected"),
    [
        (ParentBased(ALWAYS_ON), RECORDED, False, True),
        (ParentBased(ALWAYS_ON), NOT_RECORDED, False, False),
        (ParentBased(ALWAYS_OFF), RECORDED, False, True),
        (ParentBased(ALWAYS_OFF), RECORDED, True, False),
        (ParentBased(ALWAYS_ON), NOT_RECORDED, True, True),
        (ParentBased(TraceIdRatioBased(1e-9)), LUCKY, True, False),
        (TraceIdRatioBased(1e-9), LUCKY, True, False),
        (TraceIdRatioBased(1e-9), LUCKY, False, True),
        (ParentBased(ALWAYS_ON), "", True, True),
        (ParentBased(ALWAYS_OFF), "", True, False),
    ],
)
def test_strangers_have_no_say_in_what_is_recorded(
    sampler: Sampler,
    parent: str,
    is_stranger: bool,  # noqa: FBT001
    expected: bool,  # noqa: FBT001
) -> None:
    """Neither by a flag nor by an id of their choice; and what is recorded is of their trace all the same."""
    with Recorded(sampler) as exporter:
        with tracing.request("GET /api/rooms", parent=parent, is_stranger=is_stranger) as request:
            assert request.trace_id == parent[3:35] or not parent
        spans = exporter.get_finished_spans()
    assert len(spans) == expected
    assert _is_recorded(request.traceparent) == expected


def test_what_is_asked_is_a_span_below_the_request() -> None:
    """Also of a task that it started; and one that failed says why."""
    with Recorded(ParentBased(ALWAYS_ON)) as exporter:
        with tracing.request("join", {"parley.connection": "c"}, parent=RECORDED) as request:
            part = tracing.part("auth.verify", SpanKind.CLIENT)
            assert part is not None
            with part:
                part.failed("expired")
            request.failed("unavailable", is_ours=True)
        asked, join = exporter.get_finished_spans()
    assert asked.parent is not None
    assert join.context is not None
    assert (asked.name, asked.parent.span_id) == ("auth.verify", join.context.span_id)
    assert asked.attributes == {"error.type": "expired"}
    assert asked.status.is_ok or asked.status.is_unset
    assert join.attributes == {"parley.connection": "c", "error.type": "unavailable"}
    assert join.status.status_code is trace.StatusCode.ERROR


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ParleyError(ErrorCode.EXPIRED, "expired"), ("expired", False)),
        (ParleyError(ErrorCode.UNAVAILABLE, "nobody answers"), ("unavailable", True)),
        (ZeroDivisionError(), ("internal", True)),
        (asyncio.CancelledError(), (None, False)),
    ],
)
def test_what_ends_a_request_says_how_it_failed(error: BaseException, expected: tuple[str | None, bool]) -> None:
    """Unless somebody has said so before."""
    with Recorded(ALWAYS_ON) as exporter:
        for said in (None, "gone"):
            exporter.clear()
            with pytest.raises(type(error)):
                _end(error, said)
            (span,) = exporter.get_finished_spans()
            is_error = span.status.status_code is trace.StatusCode.ERROR
            assert ((span.attributes or {}).get("error.type"), is_error) == ((said, False) if said else expected)


def test_messages_carry_their_trace_only_if_it_is_recorded() -> None:
    """One that is not is as cheap as without a recorder."""
    with Recorded(ALWAYS_OFF):
        assert tracing.recorded_part("publish message", SpanKind.PRODUCER, {}) is None
    with Recorded(ALWAYS_ON) as exporter:
        begun = tracing.recorded_part("publish message", SpanKind.PRODUCER, {})
        assert begun is not None
        assert _is_recorded(begun.traceparent)
        begun.end()
        assert len(exporter.get_finished_spans()) == 1


def test_a_batch_is_recorded_if_one_of_its_messages_is() -> None:
    """It links to each, whatever the sampler would say of a trace that begins here."""
    with Recorded(ParentBased(ALWAYS_OFF)) as exporter:
        with tracing.batch("persist messages", ["", "nonsense", RECORDED], {"messaging.batch.message_count": 3}):
            pass
        with tracing.batch("persist messages", ["", NOT_RECORDED], {}):
            pass
        with tracing.batch("persist messages", ["", ""], {}):
            pass
        (span,) = exporter.get_finished_spans()
    assert [f"{each.context.trace_id:032x}" for each in span.links] == [TRACE]
    assert span.kind is SpanKind.CONSUMER


def test_the_key_that_marks_strangers_is_in_no_other_context() -> None:
    """It is nobody's but the sampler's."""
    assert otel.get_value(tracing.STRANGER, otel.Context()) is None
