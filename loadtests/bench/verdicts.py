"""The comparisons that Parley answers for, each as one number: below 1, Parley costs less than the peer."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from loadtests.bench.cases.foreign import RATE as FOREIGN_RATE
from loadtests.bench.cases.mixed import SAME_RATE, latency
from loadtests.bench.samples import Samples, Summary

_OURS: Final = "parley"
_REDIS: Final = "node + redis"
_STREAMS: Final = "node + redis streams"


class Verdict(msgspec.Struct, frozen=True):
    """What was compared with what, and what came of it: the ratios within each repeat."""

    what: str
    to: str
    ratio: Summary


_PEERS: Final = (
    ("fanout", "CPU per delivery, 2 in flight, us", _STREAMS),
    ("fanout", "CPU per delivery, 20 in flight, us", _STREAMS),
    ("one-room", "CPU per delivery, 2 in flight, us", _STREAMS),
    ("one-room", "CPU per delivery, 20 in flight, us", _STREAMS),
    ("publish", "CPU per publish, us", _STREAMS),
    ("publish", "CPU per publish, us", _REDIS),
    ("connect", "CPU per connect, us", _STREAMS),
    ("connect", "CPU per connect, us", _REDIS),
    ("idle", "memory each, KiB", _REDIS),
    ("idle", "CPU, ms a second", _REDIS),
    ("mixed", "p99 at 50 %, ms", _STREAMS),
    ("storm", "CPU per reconnect, us", _REDIS),
    ("storm", "until all are back, s", _REDIS),
)
_GROWTH: Final = (
    ("fanout", "CPU per delivery, 2 in flight, us"),
    ("fanout", "CPU per delivery, 20 in flight, us"),
    ("publish", "CPU per publish, us"),
    ("connect", "CPU per connect, us"),
    ("storm", "CPU per disconnect, us"),
    ("storm", "CPU per reconnect, us"),
)


def verdicts(samples: Samples, connections: Sequence[int]) -> list[Verdict]:
    """All that the samples allow."""
    found = [
        Verdict(f"{case}, {count:,} connections: {figure}", peer, ratio)
        for case, figure, peer in _PEERS
        for count in connections
        if (ratio := samples.ratio(case, count, figure, _OURS, peer)) is not None
    ]
    fewest, most = connections[0], connections[-1]
    if fewest < most:
        found += [
            Verdict(f"{case}, {most:,} connections: {figure}", f"itself at {fewest:,}", ratio)
            for case, figure in _GROWTH
            if (ratio := samples.growth(case, figure, _OURS, fewest, most)) is not None
        ]
    return found + [each for count in connections for each in _of_two_figures(samples, count)]


def _of_two_figures(samples: Samples, count: int) -> Iterator[Verdict]:
    at_its_rate = samples.values("mixed", count, latency(99, SAME_RATE), _OURS)
    its_own = samples.values("mixed", count, latency(99, "50 %"), _STREAMS)
    ratio = Samples.ratios(at_its_rate, its_own)
    if ratio is not None:
        yield Verdict(f"mixed, {count:,} connections: p99 at the same rate, ms", f"{_STREAMS} at 50 %", ratio)
    # What is quiet costs pings, too: those of the idle case.
    more = samples.values("foreign", count, "CPU per foreign message, us", _OURS)
    idle = samples.values("idle", count, "CPU, ms a second", _OURS)
    both = {repeat: idle[repeat] + more[repeat] * FOREIGN_RATE / 1000 for repeat in more if repeat in idle}
    ratio = Samples.ratios(both, idle)
    if ratio is not None:
        yield Verdict(f"foreign traffic, {count:,} connections: CPU, pings included", "itself when idle", ratio)


def table(found: Sequence[Verdict]) -> str:
    """A line each."""
    if not found:
        return ""
    rows = [f"  {each.what:62} to {each.to:26} {_shown(each.ratio)}" for each in found]
    return "\n".join(["\nparley, times", *rows])


def _shown(ratio: Summary) -> str:
    return f"{ratio.median:6.2f} ({ratio.least:.2f} .. {ratio.most:.2f})"
