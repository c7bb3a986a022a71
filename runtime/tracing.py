"""Where a request stands in a trace, from process to process: W3C Trace Context (https://www.w3.org/TR/trace-context/).

Every request has a traceparent, so that what all processes log of it can be joined; it is made when somebody asks for
it. Nothing is recorded, and no span exists, until `record_with` was called (see `runtime.trace_export`): spans are
OpenTelemetry's from then on.
"""

import random
import re
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Final, Self

from opentelemetry import context as otel
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from wire.errors import ErrorCode, ParleyError
from wire.headers import TRACEPARENT

Attributes = Mapping[str, str | int]

STRANGER: Final = otel.create_key("parley-stranger")
"""In a span's parent context if that came from somebody who has no say in what is recorded."""

_FORM: Final = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_LONGEST: Final = 512
_random: Final = random.Random().randbytes  # noqa: S311 - they tell requests apart, and are no secrets
_w3c: Final = TraceContextTextMapPropagator()


class _Recorder:
    """Who makes spans; nobody does as a rule."""

    tracer: Tracer | None = None


class Request:
    """A request under way, for as long as the block runs; what it raises is what has become of it.

    Tasks that it starts belong to it as well, and not any more once it is over.
    """

    __slots__ = ("_has_failed", "_token", "_traceparent", "is_over", "span")

    def __init__(self, traceparent: str = "", span: Span | None = None) -> None:
        self._traceparent = traceparent
        self._has_failed = self.is_over = False
        """Whether it has been dealt with."""
        self.span: Final = span
        """If spans are made: of this request."""

    @property
    def traceparent(self) -> str:
        """What tells others of it."""
        if not self._traceparent:
            self._traceparent = _written(self.span) if self.span is not None else _made()
        return self._traceparent

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits."""
        return self.traceparent[3:35]

    @property
    def span_id(self) -> str:
        """16 hexadecimal digits: of this process's span, or while nobody makes spans of whoever asked."""
        return self.traceparent[36:52]

    def failed(self, code: str, *, is_ours: bool = False) -> None:
        """It came to nothing, whoever is told so; `is_ours`: through no fault of whoever asked."""
        self._has_failed = True
        if self.span is not None:
            self.span.set_attribute("error.type", code)
            if is_ours:
                self.span.set_status(trace.StatusCode.ERROR)

    def end(self, error: BaseException | None = None) -> None:
        """It is over, by `error`."""
        self.is_over = True
        if self.span is not None:
            if isinstance(error, Exception) and not self._has_failed:
                code = error.code if isinstance(error, ParleyError) else ErrorCode.INTERNAL
                self.failed(code, is_ours=code in {ErrorCode.UNAVAILABLE, ErrorCode.INTERNAL})
            self.span.end()

    def __enter__(self) -> Self:
        self._token: Token[Request | None] = _here.set(self)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        _here.reset(self._token)
        self.end(error)


_here: Final[ContextVar[Request | None]] = ContextVar("request", default=None)


def record_with(tracer: Tracer | None) -> None:
    """Have `tracer` make spans of all requests from now on; None: nobody."""
    _Recorder.tracer = tracer


def request(
    name: str,
    attributes: Attributes | None = None,
    *,
    parent: str = "",
    is_stranger: bool = False,
    kind: SpanKind = SpanKind.SERVER,
) -> Request:
    """A request that begins here, to be entered. `parent` is a traceparent, or not: anything else is as good as none.

    `is_stranger`: whoever sent that may say to which trace the request belongs, and not whether it is recorded.
    """
    if parent and _FORM.fullmatch(parent) is None:
        parent = ""
    tracer = _Recorder.tracer
    if tracer is None:
        return Request(parent)
    context = _w3c.extract({TRACEPARENT: parent}, otel.Context())
    if is_stranger:
        context = otel.set_value(STRANGER, True, context)
    return Request(span=tracer.start_span(name, context, kind, attributes))


def current() -> Request | None:
    """The request that this code is at, if it is at one."""
    here = _here.get()
    return None if here is None or here.is_over else here


def traceparent() -> str:
    """The current request's, or a new one."""
    here = _here.get()
    return _made() if here is None or here.is_over else here.traceparent


def part(name: str, kind: SpanKind, attributes: Attributes | None = None) -> Request | None:
    """What somebody else is asked for the current request's sake, to be entered or ended. None: nobody records."""
    if (tracer := _Recorder.tracer) is None:
        return None
    here = current()
    above = None if here is None else here.span
    context = otel.Context() if above is None else trace.set_span_in_context(above, otel.Context())
    return Request(span=tracer.start_span(name, context, kind, attributes))


def recorded_part(name: str, kind: SpanKind, attributes: Attributes) -> Request | None:
    """The same for what happens with every message: None unless it is recorded."""
    begun = part(name, kind, attributes)
    return begun if begun is not None and begun.span is not None and begun.span.is_recording() else None


def batch(name: str, traceparents: Iterable[str], attributes: Attributes) -> AbstractContextManager[Request | None]:
    """Work for the sake of many requests of other processes; to be entered. Recorded if one of these is."""
    tracer = _Recorder.tracer
    if tracer is None:
        return nullcontext()
    found = [_place(each) for each in traceparents if each]
    links = [trace.Link(each) for each in found if each.is_valid]
    if not links:
        return nullcontext()
    return Request(span=tracer.start_span(name, otel.Context(), SpanKind.CONSUMER, attributes, links))


def received(values: list[str], *, is_trusted: bool) -> str:
    """The traceparent that came with an HTTP request as `values` of its header; "" for none, or more than one.

    Its sampled flag is there only if `is_trusted`.
    """
    if len(values) != 1 or len(values[0]) > _LONGEST:  # which the propagator would log
        return ""
    found = _place(values[0])
    if not found.is_valid:
        return ""
    return f"00-{found.trace_id:032x}-{found.span_id:016x}-{found.trace_flags & is_trusted:02x}"


def _place(traceparent: str) -> trace.SpanContext:
    return trace.get_current_span(_w3c.extract({TRACEPARENT: traceparent}, otel.Context())).get_span_context()


def _written(span: Span) -> str:
    carrier: dict[str, str] = {}
    _w3c.inject(carrier, trace.set_span_in_context(span, otel.Context()))
    return carrier.get(TRACEPARENT, "") or _made()


def _made() -> str:
    digits = _random(24).hex()
    return f"00-{digits[:32]}-{digits[32:]}-00"
