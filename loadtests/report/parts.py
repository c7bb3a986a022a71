"""The phases of a run as rows of a table. No I/O."""

from collections.abc import Iterable

import msgspec

from loadtests import kinds
from loadtests.report.results import Part
from loadtests.report.words import clock, milliseconds, rate


class Row(msgspec.Struct, frozen=True):
    """A phase, written out."""

    name: str
    begin: str
    end: str
    connected: str
    messages: str
    """A second."""
    deliveries: str
    """A second."""
    ack: str
    """p99 in ms."""
    end_to_end: str
    """p99 in ms."""
    failed: str
    drops: str
    measured: bool
    broken: list[str]


def rows(parts: Iterable[Part]) -> list[Row]:
    """One for each."""
    return [_row(each) for each in parts]


def _row(part: Part) -> Row:
    figures = {each.kind: each for each in part.figures}
    message, delivery = figures.get(kinds.MESSAGE), figures.get(kinds.DELIVERY)
    failed = sum(count for each in part.figures for count in each.failures.values())
    return Row(
        name=part.name,
        begin=clock(part.begin),
        end=clock(part.end),
        connected=f"{part.connected:,.0f}",
        messages=rate(message.per_second if message else 0),
        deliveries=rate(part.deliveries_per_second),
        ack=milliseconds(message.p99 if message else None),
        end_to_end=milliseconds(delivery.p99 if delivery else None),
        failed=f"{failed:,}",
        drops=f"{part.drops:,}",
        measured=part.measured,
        broken=part.broken,
    )
