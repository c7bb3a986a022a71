"""Whether a gateway may open as many files as it may have connections."""

import resource

import pytest
from structlog.testing import capture_logs

from services.gateway import capacity
from services.gateway.allowed import Allowed
from services.gateway.edge.metrics import connections_limit, limits


class Files:
    """The limits of open files of a process."""

    RLIMIT_NOFILE = resource.RLIMIT_NOFILE
    RLIM_INFINITY = resource.RLIM_INFINITY

    def __init__(self, soft: int, hard: int) -> None:
        self.limits = (soft, hard)

    def getrlimit(self, _which: int) -> tuple[int, int]:
        """See `resource`."""
        return self.limits

    def setrlimit(self, _which: int, limits: tuple[int, int]) -> None:
        """See `resource`."""
        self.limits = limits


@pytest.mark.parametrize(
    ("soft", "hard", "after", "warns"),
    [
        (20_000, 20_000, 20_000, False),
        (1024, 20_000, 1100, False),
        (1024, -1, 1100, False),
        (-1, -1, -1, False),
        (1024, 1050, 1050, True),
        (512, 512, 512, True),
    ],
)
def test_it_takes_what_it_needs_and_warns_if_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, after: int, *, warns: bool
) -> None:
    """Once, at the start; the hard limit stays as it is."""
    files = Files(soft, hard)
    monkeypatch.setattr(capacity, "resource", files)
    with capture_logs() as logs:
        capacity.make_room(1000)
    assert files.limits == (after, hard)
    assert [(each["log_level"], each["may_open"], each["needed"]) for each in logs] == (
        [("warning", after, 1100)] if warns else []
    )


def test_by_default_twenty_thousand_files_are_enough() -> None:
    """More are not to be had everywhere."""
    allowed = Allowed()
    assert allowed.connections_most + allowed.http_connections_most + 1000 < 20_000


def test_the_limits_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """As they are configured, beside what was refused because of them."""
    monkeypatch.setattr(capacity, "resource", Files(-1, -1))
    capacity.prepare(Allowed(connections_most=7, messages_per_second=0.5))
    assert connections_limit._value.get() == 7
    assert limits.labels(limit="message")._value.get() == 0.5
