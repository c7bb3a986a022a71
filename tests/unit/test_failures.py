"""How many lines failed requests may take."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from runtime.failures import Failures
from wire.errors import ErrorCode


def test_a_flood_is_bounded_and_says_how_many_were_left_out() -> None:
    """Sixty at once, and one a second."""
    now = 0.0
    failures = Failures(lambda: now)
    with capture_logs() as lines:
        for _ in range(1000):
            failures.note("request failed", ErrorCode.UNAUTHORIZED, status=401)
        assert len(lines) == 60
        for now in (0.5, 1.0, 1.5, 2.0):  # noqa: B007 - the clock reads it
            failures.note("request failed", ErrorCode.UNAUTHORIZED, status=401)
    assert [line.get("left_out") for line in lines[60:]] == [941, 1]
    assert lines[0] == {
        "event": "request failed",
        "code": ErrorCode.UNAUTHORIZED,
        "status": 401,
        "log_level": "info",
    }


def test_a_flood_of_strangers_does_not_hide_an_outage() -> None:
    """What is ours has lines of its own."""
    failures = Failures(lambda: 0.0)
    with capture_logs() as lines:
        for _ in range(1000):
            failures.note("request failed", ErrorCode.FORBIDDEN)
        failures.note("request failed", ErrorCode.UNAVAILABLE)
    assert lines[-1]["code"] == ErrorCode.UNAVAILABLE


@pytest.mark.parametrize("code", [ErrorCode.RATE_LIMITED, ErrorCode.INTERNAL])
def test_what_is_counted_or_logged_elsewhere_is_not_repeated(code: ErrorCode) -> None:
    """Limits are met in floods; a defect has a line with its traceback."""
    said: list[Any]
    with capture_logs() as said:
        Failures(lambda: 0.0).note("request failed", code)
    assert said == []
