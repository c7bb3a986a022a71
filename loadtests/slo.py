"""The objectives of a run: an SLO file, and whether what was measured keeps to it.

The file is YAML: under `requests`, a kind of request (`kinds.KINDS`) and the most that is allowed for it, in
milliseconds and percent; and, if wanted, `drops_per_minute`.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import yaml

from loadtests import kinds
from loadtests.report.results import Objective
from loadtests.timeline import Bucket, Timeline, sum_of

DEFAULT: Final = Path(__file__).with_name("slo.yaml")

_Milliseconds = Annotated[float, msgspec.Meta(gt=0, le=3_600_000)]
_Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]
_PerMinute = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
_PARTS: Final = {"p50_ms": ("p50", 0.5), "p95_ms": ("p95", 0.95), "p99_ms": ("p99", 0.99)}

Span = tuple[float, float]
"""From when to when, in seconds of the epoch."""


class SloError(Exception):
    """There is no such SLO; the message is the one line to show."""


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The most that is allowed for one kind of request. None: anything."""

    p50_ms: _Milliseconds | None = None
    p95_ms: _Milliseconds | None = None
    p99_ms: _Milliseconds | None = None
    failed_percent: _Percent | None = None
    """Of all that were made, failed ones among them."""


class Slo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a run is held to."""

    requests: dict[str, Limits] = {}
    drops_per_minute: _PerMinute | None = None
    """Connections that ended without being told to by their user."""

    @classmethod
    def read(cls, path: Path) -> "Slo":
        """Raises `SloError`, which names the file, the key, and what is allowed there."""
        try:
            found = yaml.safe_load(path.read_text())
        except OSError as error:
            raise SloError(f"{path}: {error.strerror}") from None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise SloError(f"{path}: this is no YAML: {' '.join(str(error).split())}") from None
        try:
            return cls._of(found)
        except SloError as error:
            raise SloError(f"{path}: {error}") from None

    @classmethod
    def _of(cls, found: Any) -> "Slo":
        _only(found, cls.__struct_fields__, "")
        requests = found.get("requests", {})
        _only(requests, kinds.KINDS, "requests: ")
        limits = {}
        for kind, each in requests.items():
            _only(each, Limits.__struct_fields__, f"requests: {kind}: ")
            limits[kind] = Limits(**{key: _number(value, Limits, key, kind) for key, value in each.items()})
        drops = _number(found.get("drops_per_minute"), cls, "drops_per_minute", "")
        if drops is None and all(each == Limits() for each in limits.values()):
            raise SloError("no objective is in it")
        return cls(limits, drops)

    def objectives(
        self,
        timeline: Timeline,
        spans: Sequence[Span],
        *,
        arriving: Sequence[Span] = (),
        late: Sequence[Span] = (),
    ) -> list[Objective]:
        """How each objective fared in all of `spans` together. What nothing was measured for counts as kept.

        Requests count in `late`, too, and those of arriving users in `arriving`: see `counted`.
        """
        found: list[Objective] = []
        for kind, limits in self.requests.items():
            where = [*spans, *late, *(arriving if kind in kinds.ARRIVALS else ())]
            found += _of_kind(kind, limits, sum_of(timeline.total(kind, *span) for span in where))
        seconds = sum(end - begin for begin, end in spans)
        if self.drops_per_minute is not None:
            drops = sum(timeline.counted(kinds.DROPS, *span) for span in spans)
            each = drops * 60 / seconds if seconds > 0 else None
            kept = each is None or each <= self.drops_per_minute
            found.append(Objective("drops", self.drops_per_minute, "a minute", each, kept))
        return found

    def broken(self, timeline: Timeline, begin: float, end: float, *, arriving: Sequence[Span] = ()) -> list[str]:
        """Which objectives were not kept from `begin` to `end` (seconds of the epoch): in words, one each."""
        found = self.objectives(timeline, [(begin, end)], arriving=arriving)
        return [said(each) for each in found if not each.kept]


def said(objective: Objective) -> str:
    """What came of it, in words."""
    most = f"{figure(objective.most)} {objective.unit}"
    if objective.measured is not None:
        return f"{objective.name}: {figure(objective.measured)} {objective.unit}, and {most} is the most allowed"
    if objective.kept:
        return f"{objective.name}: nothing was measured, and {most} is the most allowed"
    return f"{objective.name}: not one succeeded, and {most} is the most allowed"


def _of_kind(kind: str, limits: Limits, total: Bucket) -> Iterator[Objective]:
    made = total.succeeded + total.failed
    for key, (name, part) in _PARTS.items():
        most = getattr(limits, key)
        if most is not None:
            seconds = total.percentile(part)
            measured = None if seconds is None else seconds * 1000
            # Nothing at all breaks nothing; failures alone have no percentile, and are no way to keep to one.
            kept = measured <= most if measured is not None else not made
            yield Objective(f"{kind} {name}", most, "ms", measured, kept)
    if limits.failed_percent is not None:
        failed = 100 * total.failed / made if made else None
        kept = failed is None or failed <= limits.failed_percent
        yield Objective(f"{kind} failed", limits.failed_percent, "%", failed, kept)


def _only(found: Any, allowed: Iterable[str], where: str) -> None:
    names = ", ".join(map(repr, allowed))
    if not isinstance(found, dict):
        raise SloError(f"{where}this is to have keys; allowed are {names}")
    for key in found:
        if key not in allowed:
            raise SloError(f"{where}{key!r} is not known; allowed are {names}")


def _number(value: Any, owner: type[Limits | Slo], key: str, kind: str) -> float | None:
    kinds_of_fields = {each.name: each.type for each in msgspec.structs.fields(owner)}
    try:
        number = msgspec.convert(value, kinds_of_fields[key])
    except msgspec.ValidationError as error:
        where = f"requests: {kind}: {key}" if kind else key
        raise SloError(f"{where}: {value!r} does not fit: {error}") from None
    if number is not None and not math.isfinite(number):
        raise SloError(f"{key}: {value!r} is no number")
    return None if number is None else float(number)


def figure(value: float) -> str:
    """A measured number, as short as is honest."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
