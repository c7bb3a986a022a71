"""The series that a process can have: those that it has at its start, and all that can come."""

import subprocess
import sys
from collections.abc import Iterable
from typing import Final

import aiohttp
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from runtime.nats_errors import KINDS
from services.auth.metrics import GROUPS
from services.gateway.allowed import Allowed
from services.gateway.outcomes import ANSWERS, EVENT_RESULTS
from services.history.metrics import OTHERS

SERVICES: Final = ("gateway", "auth", "history")
ISSUERS: Final = ("https://id.example.com",)
"""Trusted ones are configured, so their number is the operator's."""
BUILD: Final = "parley_build_info"
LIMITS: Final = ("verifications", "http_address", "mistake")

Series = tuple[str, frozenset[tuple[str, str]]]
"""The name of a sample, and its labels."""

_PRINT: Final = """
import sys, prometheus_client, services.{0}.app
sys.stdout.buffer.write(prometheus_client.generate_latest())
"""


def of(families: Iterable[Metric]) -> set[Series]:
    """All that are there."""
    return {(sample.name, frozenset(sample.labels.items())) for family in families for sample in family.samples}


def families_at_start(service: str) -> list[Metric]:
    """What is registered in a process of `service` before it has read its settings."""
    code = _PRINT.format(service)
    text = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout.decode()
    return list(text_string_to_metric_families(text))


def possible(service: str) -> set[Series]:
    """All that a process of `service` can have, whatever its clients do."""
    return of(families_at_start(service)) | set(_later(service))


def _later(service: str) -> Iterable[Series]:
    """What comes with settings, and with what happens for the first time."""
    yield BUILD, frozenset()  # its labels are those of the build
    for kind in (*KINDS, "other"):
        yield _series("parley_nats_errors_total", kind=kind)
    for use in ("nats_ca", "nats_client"):
        yield _series("parley_tls_certificate_expiry_timestamp_seconds", use=use)
    if service == "gateway":
        yield from _of_gateways()
    elif service == "auth":
        for kind in GROUPS:
            yield from (_series("parley_auth_requests_total", kind=kind, result=result) for result in ANSWERS)
        for issuer in ISSUERS:
            for result in ("ok", "failed"):
                yield _series("parley_auth_jwks_fetches_total", issuer=issuer, result=result)
    else:
        for kind in ("page", *OTHERS):
            yield from (_series("parley_history_requests_total", kind=kind, result=result) for result in ANSWERS)


def _of_gateways() -> Iterable[Series]:
    for event, result in EVENT_RESULTS:
        yield _series("parley_gateway_events_total", event=event, result=result)
    for result in (*ANSWERS, "duplicate", "gone"):
        yield _series("parley_gateway_notified_total", result=result)
        for by in ("user", "service"):
            yield _series("parley_gateway_posts_total", by=by, result=result)
    for result in ANSWERS:
        yield _series("parley_gateway_notification_questions_total", result=result)
    for limit in Allowed().shown:
        yield _series("parley_gateway_limit", limit=limit)
    for limit in {*Allowed().shown, *LIMITS}:
        yield _series("parley_gateway_limited_total", limit=limit)


def _series(name: str, **labels: str) -> Series:
    return name, frozenset(labels.items())


async def scraped(admin: str) -> set[Series]:
    """Those of a process that runs, by the address of its admin port; without the labels of what was built."""
    async with aiohttp.ClientSession() as http, http.get(f"{admin}/metrics") as response:
        found = of(text_string_to_metric_families(await response.text()))
    return {(name, frozenset() if name == BUILD else labels) for name, labels in found}
