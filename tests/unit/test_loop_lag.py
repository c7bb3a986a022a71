"""The lag of the event loop: what holds it up shows."""

import time

from runtime import loop_lag, metrics
from tests.support.waiting import until

_HELD_SECONDS = 0.6


def _looks(*, above: float = 0.0) -> int:
    """How many there were that were late by more than so many seconds."""
    samples = next(iter(metrics.event_loop_lag.collect())).samples
    counts = {sample.labels["le"]: sample.value for sample in samples if "le" in sample.labels}
    return int(counts["+Inf"] - (counts[str(above)] if above else 0))


async def test_what_holds_up_the_loop_is_counted() -> None:
    """A timer that was due meanwhile is late, and says by how much."""
    before, late = _looks(), _looks(above=0.25)
    with loop_lag.measured():
        await until(lambda: _looks() >= before + 2, "it to be looked at")
        time.sleep(_HELD_SECONDS)  # noqa: ASYNC251 - this is what it is about
        await until(lambda: _looks(above=0.25) > late, "what held it up to show")
