"""OpenTelemetry's SDK as this program uses it; imported only where traces are recorded."""

from collections.abc import Sequence
from typing import Final

from opentelemetry import context as otel
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes

from runtime.tracing import STRANGER


def provider(service: str, instance: str, exporter: str) -> TracerProvider:
    """What makes spans and hands them to `exporter` (otlp or console), in batches, in a thread of its own."""
    defaults = {"service.name": f"parley-{service}", "service.instance.id": instance}
    resource = Resource.create({**defaults, **OTELResourceDetector().detect().attributes})
    made = TracerProvider(resource=resource, shutdown_on_exit=False)
    made.sampler = FairSampler(made.sampler)  # which is the environment's
    made.add_span_processor(BatchSpanProcessor(OTLPSpanExporter() if exporter == "otlp" else ConsoleSpanExporter()))
    return made


class FairSampler(Sampler):
    """Asks `sampler`, but where others would decide for us.

    What a stranger's request asks for is none of its business: neither its flag counts, nor an id that was chosen so
    that a ratio has it. Work for many traces is recorded if one of them is.
    """

    def __init__(self, sampler: Sampler) -> None:
        self._sampler: Final = sampler
        self._ids = RandomIdGenerator()

    def should_sample(  # noqa: PLR0917 - its signature
        self,
        parent_context: otel.Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """See `Sampler`."""
        sampler = self._sampler
        if otel.get_value(STRANGER, parent_context):
            parent_context, trace_id = otel.Context(), self._ids.generate_trace_id()
        elif links and not trace.get_current_span(parent_context).get_span_context().is_valid:
            sampler = ALWAYS_ON if any(each.context.trace_flags.sampled for each in links) else sampler
        return sampler.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        """See `Sampler`."""
        return f"Fair{{{self._sampler.get_description()}}}"
