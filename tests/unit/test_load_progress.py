"""The line of progress."""

import io

import pytest

from loadtests import kinds
from loadtests.progress import Progress, line
from loadtests.timeline import Timeline


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _last() -> Timeline:
    """Two seconds: 3 messages of 20 ms, 10 deliveries, a failure, a drop."""
    timeline = Timeline()
    for at in (50, 50, 51):
        timeline.took(kinds.MESSAGE, 0.02, at)
    timeline.count(kinds.DELIVERIES, 51, 10)
    timeline.failed(kinds.JOIN, kinds.TIMEOUT, 51)
    timeline.count(kinds.DROPS, 51)
    return timeline


def test_all_is_on_one_line() -> None:
    """With what went wrong only where something did."""
    text = line(75.4, "hold", _last(), 1234, 2000, 61.6)
    assert text == (
        "1:15 hold | 1,234 of 2,000 connected | 2 messages/s | 5 deliveries/s | ack p99 20 ms | end to end p99 -"
        " | 1 FAILED | 1 DROPPED | generator 62 %"
    )
    assert line(0, "ramp", Timeline(), 0, 0, None) == (
        "0:00 ramp | 0 of 0 connected | 0 messages/s | 0 deliveries/s | ack p99 - | end to end p99 -"
    )


@pytest.mark.parametrize("columns", [200, 40])
def test_a_terminal_has_one_line_that_is_written_over(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """Each time it begins at the left, and clears what was there; it never wraps; the end is a line's end, once."""
    monkeypatch.setenv("COLUMNS", str(columns))
    stream = _Terminal()
    progress = Progress(stream, lambda: 0.0)
    for elapsed in range(3):
        progress.show(elapsed, "hold", _last(), 1, 1, 50)
    assert stream.getvalue().count("\r\x1b[K") == 3
    assert "\n" not in stream.getvalue()
    progress.end()
    progress.end()
    shown = stream.getvalue().split("\x1b[K")[-1]
    assert shown == f"{line(2, 'hold', _last(), 1, 1, 50)[: columns - 1]}\n"
    assert stream.getvalue().count("\n") == 1


def test_a_log_gets_a_line_every_ten_seconds_and_for_each_phase() -> None:
    """Whatever the rest of the time."""
    stream, now = io.StringIO(), [0.0]
    progress = Progress(stream, lambda: now[0])
    for elapsed in range(25):
        now[0] = float(elapsed)
        progress.show(elapsed, "ramp" if elapsed < 3 else "hold", _last(), 1, 1, None)
    progress.end()
    shown = [text.split(" |")[0] for text in stream.getvalue().splitlines()]
    assert shown == ["0:00 ramp", "0:03 hold", "0:13 hold", "0:23 hold"]
    assert "\r" not in stream.getvalue()


def test_a_terminal_that_was_closed_ends_nothing() -> None:
    """Nor does a pipe that nobody reads any more."""

    class Closed(_Terminal):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    progress = Progress(Closed())
    progress.show(0, "hold", _last(), 1, 1, None)
    progress.end()
