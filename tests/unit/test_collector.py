"""The cyclic collector, once a process has started."""

import gc
import weakref

from runtime import collector
from tests.support.waiting import until


def test_what_is_there_at_the_start_is_never_walked_again() -> None:
    """It is frozen, and what comes later is looked through seldom."""
    thresholds = gc.get_threshold()
    try:
        gc.set_threshold(700)  # another test may have settled this process
        collector.settle()
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold()[0] > 700
        assert gc.isenabled()
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)


class _Kept:
    """Holds itself."""

    def __init__(self) -> None:
        self.itself = self


async def test_what_only_holds_itself_goes_by_the_clock() -> None:
    """However few such things there are: one of them may hold much."""
    thresholds = gc.get_threshold()
    try:
        gc.set_threshold(1_000_000, 1_000_000, 1_000_000)
        others = [[] for _ in range(2_000)]  # type: ignore[var-annotated]
        gone = weakref.ref(_Kept())
        assert gone() is not None
        with collector.regularly():
            await until(lambda: gone() is None, "it to be collected")
        assert others
    finally:
        gc.set_threshold(*thresholds)


async def test_afterwards_nothing_keeps_time() -> None:
    """The timer is gone with the block."""
    with collector.regularly():
        pass
    gc.collect()
    assert not [each for each in gc.get_objects() if isinstance(each, collector._Looks)]
