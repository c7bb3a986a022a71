"""What OpenTelemetry's variables turn on."""

import logging
import subprocess
import sys

import pytest

from deploy.local.stack import ROOT
from runtime import trace_export, trace_sdk
from runtime.settings import SettingsError


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
