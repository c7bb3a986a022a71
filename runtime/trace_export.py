"""Recording traces and exporting them over OTLP/HTTP, if OpenTelemetry's own variables say so.

`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` or `OTEL_TRACES_EXPORTER` turn it on; without them
nothing of the SDK is imported. Everything else (sampler, batches, headers, certificates, limits) is read by the SDK,
see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from runtime import tracing
from runtime.settings import SettingsError

_WANTED_BY: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_TRACES_EXPORTER")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_FLUSH_SECONDS: Final = 2.0
"""How long the end of a process may wait for its last spans to be taken."""
_AGAIN_SECONDS: Final = 60.0

log = structlog.get_logger()


def configured(service: str, instance: str, environ: Mapping[str, str]) -> Callable[[], None]:
    """Record from now on, if `environ` says so; returns what to call at the end of the process, from any thread.

    Raises `SettingsError`: the SDK is not installed, or an exporter or a protocol is not known. Nothing that goes
    wrong later disturbs the process: spans are exported in a thread, those that do not fit its queue are dropped, and
    what fails is logged once a minute.
    """
    exporter = _exporter(environ)
    if not exporter:
        return _nothing
    try:
        from runtime import trace_sdk  # noqa: PLC0415 - not without being told to
    except ImportError as error:
        raise SettingsError(
            f"{_why_wanted(environ)} asks for traces, and {error.name} is not installed: "
            "pip install -r requirements/tracing.txt"
        ) from None
    for handler in logging.getLogger().handlers:
        handler.addFilter(_Seldom())
    try:
        provider = trace_sdk.provider(service, instance, exporter)
    except (ValueError, OSError) as error:
        raise SettingsError(f"a variable of OpenTelemetry is malformed: {error}") from None
    tracing.record_with(provider.get_tracer("parley"))
    log.info("traces are recorded", exporter=exporter)

    def stop() -> None:
        tracing.record_with(None)
        # The SDK would wait for half a minute.
        flushing = threading.Thread(target=provider.shutdown, name="last-spans", daemon=True)
        flushing.start()
        flushing.join(_FLUSH_SECONDS)

    return stop


def _exporter(environ: Mapping[str, str]) -> str:
    """The one to use; "" for none. Raises `SettingsError`."""
    is_disabled = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if is_disabled or not _why_wanted(environ):
        return ""
    name = environ.get("OTEL_TRACES_EXPORTER", "").strip() or "otlp"
    if name == "none":
        return ""
    if name not in {"otlp", "console"}:
        raise SettingsError("OTEL_TRACES_EXPORTER is malformed: it is otlp, console or none")
    protocol = next((each for each in _PROTOCOLS if environ.get(each, "").strip()), "")
    if name == "otlp" and protocol and environ[protocol].strip() != "http/protobuf":
        raise SettingsError(f"{protocol} is malformed: it is http/protobuf")
    return name


def _why_wanted(environ: Mapping[str, str]) -> str:
    return next((each for each in _WANTED_BY if environ.get(each, "").strip()), "")


def _nothing() -> None:
    pass


class _Seldom(logging.Filter):
    """Lets one line of OpenTelemetry's through in a while: a collector that is away would have one for each batch."""

    def __init__(self) -> None:
        super().__init__()
        self._next = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """See `logging.Filter`."""
        if not record.name.startswith("opentelemetry."):
            return True
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + _AGAIN_SECONDS
        if record.exc_info:
            # Its traceback is of a library's thread, and says less than what it ends with.
            kind = record.exc_info[0]
            record.msg, record.args = f"{record.getMessage()} {kind.__name__ if kind else ''}".strip(), ()
            record.exc_info = None
        return True
