"""What a run came to: `run.json`, from which the other reports are written. No I/O.

All times are in seconds since the run began, all durations in milliseconds.
"""

from enum import StrEnum

import msgspec


class Ending(StrEnum):
    """How a run ended, and with which exit code."""

    PASSED = "passed"
    BROKEN = "broken"
    """Something acknowledged was lost or came twice, or an SLO was not kept."""
    INVALID = "invalid"
    """The run says nothing: the generator was the limit, or its clock, files or ports were."""

    @property
    def exit_code(self) -> int:
        """2 is of runs that could not be done, which have no results."""
        return {Ending.PASSED: 0, Ending.BROKEN: 1, Ending.INVALID: 3}[self]


class Host(msgspec.Struct, frozen=True):
    """Where the load came from; in a local run all of the system was there, too."""

    cores: int
    processor: str
    memory_bytes: int
    kernel: str
    python: str


class Environment(msgspec.Struct, frozen=True):
    """What was measured, and where."""

    host: Host
    commit: str
    """Of the checkout, with `+` when it has changes; "unknown" without one."""
    versions: dict[str, str]
    """Of Parley, Locust, the client, nats-server, ...: what can be known."""
    target: str
    """In words: "four gateways behind HAProxy on this machine", or addresses."""


class Figures(msgspec.Struct, frozen=True):
    """One kind of request over some time. Durations of those that succeeded; None when none did."""

    kind: str
    count: int
    """How many succeeded."""
    failures: dict[str, int]
    """How many failed, by code."""
    per_second: float
    """Of those that succeeded."""
    p50: float | None
    p95: float | None
    p99: float | None
    p999: float | None


class Part(msgspec.Struct, frozen=True):
    """A phase of the run, with what was measured in it."""

    name: str
    begin: float
    end: float
    measured: bool
    connected: float
    """At its end."""
    figures: list[Figures]
    drops: int
    broken: list[str] = []
    """Which objectives were not kept in it, in words; of a step also whether the generator was the limit."""
    deliveries_per_second: float = 0.0


class Objective(msgspec.Struct, frozen=True):
    """One objective of the SLO file, over all measured phases."""

    name: str
    """As in `message p99`."""
    most: float
    unit: str
    """`ms`, `%` or `a minute`."""
    measured: float | None
    """None: none succeeded. If it is kept nevertheless, nothing of the kind happened: it was not put to the test."""
    kept: bool


class Counts(msgspec.Struct, frozen=True):
    """The account, in numbers."""

    sent: int
    acknowledged: int
    refused: int
    unconfirmed: int
    expected: int
    """Deliveries: each message to each member at the time, who is told apart by the room's own order."""
    received: int
    duplicates: int
    out_of_order: int
    lost: int
    other: dict[str, int]
    """What else was wrong, by kind."""
    stays: int
    cut_off: int
    first: list[str]
    """The first violations, in words."""


class Series(msgspec.Struct, frozen=True):
    """Over time; lists of one length. None: nothing of the kind.

    Second by second, or, in a long run, `span` seconds by `span` seconds: of levels the last in them, of rates the
    mean, of drops and failures the sum, of percentiles the worst second's.
    """

    seconds: list[int]
    """When each begins."""
    connected: list[float]
    drops: list[int]
    rates: dict[str, list[float]]
    """By kind of request, those that succeeded; and `kinds.DELIVERIES`."""
    failures: list[int]
    """Of all kinds."""
    p50: dict[str, list[float | None]]
    p99: dict[str, list[float | None]]
    users: list[float] = []
    span: int = 1


class Usage(msgspec.Struct, frozen=True):
    """A process over time, lists of one length; in a long run the most in each `Series.span`."""

    name: str
    seconds: list[int]
    cpu_percent: list[float]
    memory_mib: list[float]
    connections: list[int | None]


class Highest(msgspec.Struct, frozen=True):
    """What a run step by step came to."""

    part: str | None
    """The last step that kept all objectives; None: not even the first did."""
    messages_per_second: float
    deliveries_per_second: float
    connected: float
    ended_by: str
    """What ended it, in words: the objective that the next step broke, the generator, or the last step."""


class Results(msgspec.Struct, frozen=True):
    """All of it."""

    tool: str
    """`locust` or `connections`."""
    began: str
    """ISO 8601, UTC."""
    seconds: float
    settings: dict[str, str | int | float | bool | None]
    environment: Environment
    ending: Ending
    counts: Counts
    objectives: list[Objective]
    figures: list[Figures]
    """Over all measured phases; of a run step by step over the steps that held."""
    parts: list[Part]
    moments: list[tuple[float, str]]
    series: Series
    gateways: list[Usage]
    generators: list[Usage]
    greeted: dict[str, int]
    """How many connections each gateway greeted."""
    reasons: list[str] = []
    """Why it is broken or not valid, in words."""
    unmeasured: list[Figures] = []
    """Over all other phases together: users arrived, say."""
    highest: Highest | None = None
    invalid: list[str] = []
    warnings: list[str] = []
    crashes: list[str] = []
    others: list[Usage] = []
    """What the rest of the system used: proxies, NATS, MongoDB, ..."""
