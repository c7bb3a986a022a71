"""A collector of traces: OTLP over HTTP, as OpenTelemetry's exporters speak it."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from deploy.local.ports import HOST


class SpanSeen(NamedTuple):
    """One span that was exported."""

    service: str
    instance: str
    name: str
    trace: str
    id: str
    parent: str
    kind: int
    links: list[str]
    """The ids of the traces that it links to."""
    attributes: dict[str, str | int]


class Collector:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.spans: list[SpanSeen] = []
        self.url = ""
        self.is_refusing = False

    async def take(self, request: web.Request) -> web.Response:
        """`POST /v1/traces`."""
        if self.is_refusing:
            return web.Response(status=500)
        batch = ExportTraceServiceRequest.FromString(await request.read())
        for of_resource in batch.resource_spans:
            resource = _plain(of_resource.resource.attributes)
            for of_scope in of_resource.scope_spans:
                self.spans += [
                    SpanSeen(
                        service=str(resource["service.name"]),
                        instance=str(resource["service.instance.id"]),
                        name=span.name,
                        trace=span.trace_id.hex(),
                        id=span.span_id.hex(),
                        parent=span.parent_span_id.hex(),
                        kind=span.kind,
                        links=[each.trace_id.hex() for each in span.links],
                        attributes=_plain(span.attributes),
                    )
                    for span in of_scope.spans
                ]
        body = ExportTraceServiceResponse().SerializeToString()
        return web.Response(body=body, content_type="application/x-protobuf")

    def of(self, name: str) -> list[SpanSeen]:
        """The spans of that name so far."""
        return [each for each in self.spans if each.name == name]

    def below(self, span: SpanSeen) -> list[tuple[str, str]]:
        """Service and name of all spans of its trace that stand below it, sorted."""
        ids, found = {span.id}, []
        rest = [each for each in self.spans if each.trace == span.trace]
        while new := [each for each in rest if each.parent in ids]:
            rest = [each for each in rest if each not in new]
            ids |= {each.id for each in new}
            found += [(each.service, each.name) for each in new]
        return sorted(found)


def _plain(attributes: Iterable[KeyValue]) -> dict[str, str | int]:
    return {each.key: each.value.int_value or each.value.string_value for each in attributes}


@asynccontextmanager
async def collector() -> AsyncIterator[Collector]:
    """One on a free port, while the block runs."""
    made: Final = Collector()
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/v1/traces", made.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, 0).start()
        port = runner.addresses[0][1]
        made.url = f"http://{HOST}:{port}"
        yield made
    finally:
        await runner.cleanup()
