"""What OpenTelemetry's variables turn on, and what of it strangers have no say in."""

import logging
import subprocess
import sys

import pytest
from opentelemetry import context as otel
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler, TraceIdRatioBased
from opentelemetry.trace import SpanKind

from deploy.local.stack import ROOT
from runtime import trace_export, trace_sdk, tracing
from runtime.settings import SettingsError
from runtime.trace_sdk import FairSampler

TRACE = "0af7651916cd43dd8448eb211c80319c"
RECORDED = f"00-{TRACE}-b7ad6b7169203331-01"
NOT_RECORDED = f"00-{TRACE}-b7ad6b7169203331-00"
LUCKY = f"00-{'0' * 31}1-b7ad6b7169203331-00"
"""Of an id that every ratio has."""


def _is_recorded(traceparent: str) -> bool:
    return int(traceparent[-2:], 16) & 1 == 1  # another bit says that the id is a random one


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


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "True"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_SERVICE_NAME": "mine", "OTEL_TRACES_SAMPLER": "always_on"},
    ],
)
def test_nothing_is_imported_unless_it_is_asked_for(environ: dict[str, str]) -> None:
    """In a process of its own, with all that the three services are made of."""
    code = """
import os, sys
import services.gateway.app, services.auth.app, services.history.app
from runtime import trace_export
trace_export.configured("auth", "auth-1", os.environ)()
names = [each for each in sys.modules if each.startswith(("opentelemetry.sdk", "opentelemetry.exporter"))]
sys.exit(" ".join(names) or 0)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER is malformed"),
        (
            {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "OTEL_EXPORTER_OTLP_PROTOCOL is malformed: it is http/protobuf",
        ),
    ],
)
def test_what_cannot_be_done_is_said_at_start(environ: dict[str, str], says: str) -> None:
    """As of any setting."""
    with pytest.raises(SettingsError, match=says):
        trace_export.configured("auth", "auth-1", environ)


@pytest.mark.parametrize("variable", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
def test_without_the_sdk_a_service_says_what_to_install(variable: str) -> None:
    """One line, exit code 1."""
    code = """
import runpy, sys
sys.modules["opentelemetry.sdk"] = None  # as if it were not there
sys.argv = ["services.gateway"]
runpy.run_module("services.gateway", run_name="__main__")
"""
    environ = {"NATS_URL": "nats://127.0.0.1:1", "ADMIN_PORT": "1", variable: "http://127.0.0.1:1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == (
        f"gateway: {variable} asks for traces, and opentelemetry.sdk.resources is not installed: "
        "pip install -r requirements/tracing.txt\n"
    ) or done.stderr.startswith(f"gateway: {variable} asks for traces, and opentelemetry.sdk")
    assert done.stderr.count("\n") == 1


def test_the_resource_is_named_as_the_process_unless_the_environment_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES have the last word."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    ours = trace_sdk.provider("auth", "auth-1", "otlp")
    assert ours.resource.attributes["service.name"] == "parley-auth"
    assert ours.resource.attributes["service.instance.id"] == "auth-1"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "mine")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    theirs = trace_sdk.provider("auth", "auth-1", "otlp")
    assert theirs.resource.attributes["service.name"] == "mine"
    assert theirs.resource.attributes["deployment.environment.name"] == "test"
    ours.shutdown()
    theirs.shutdown()


def test_a_collector_that_is_away_is_logged_once_in_a_while() -> None:
    """Without a traceback; and other loggers' lines are none of its business."""
    seldom = trace_export._Seldom()
    info = (ConnectionError, ConnectionError("refused"), None)
    records = [
        logging.LogRecord("opentelemetry.exporter", logging.ERROR, __file__, 1, "cannot export %s", ("spans",), info)
        for _ in range(10)
    ]
    assert [seldom.filter(each) for each in records] == [True] + [False] * 9
    assert (records[0].getMessage(), records[0].exc_info) == ("cannot export spans ConnectionError", None)
    assert seldom.filter(logging.LogRecord("asyncio", logging.ERROR, __file__, 1, "x", (), None))


def test_the_key_that_marks_strangers_is_in_no_other_context() -> None:
    """It is nobody's but the sampler's."""
    assert otel.get_value(tracing.STRANGER, otel.Context()) is None
