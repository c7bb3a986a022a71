"""The cyclic collector, once a process has started."""

import gc

from runtime import collector


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
