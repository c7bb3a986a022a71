"""The life of a process: ready only between start and stop, and an end that tells the truth."""

import asyncio

from runtime.lifecycle import Lifecycle, ReadinessCheck


def check(*answers: str | None) -> ReadinessCheck:
    """A readiness check that gives these answers, one after the other."""
    waiting = iter(answers)

    async def answer() -> str | None:
        return next(waiting)

    return answer


async def test_a_process_is_ready_between_start_and_stop() -> None:
    """Not before it accepts traffic, and not from the moment it is asked to stop."""
    lifecycle = Lifecycle()
    assert await lifecycle.why_not_ready() == "starting"
    assert not lifecycle.is_started
    lifecycle.started()
    assert lifecycle.is_started
    assert await lifecycle.why_not_ready() is None
    lifecycle.stop()
    assert await lifecycle.why_not_ready() == "stopping"


async def test_a_process_that_is_stopped_while_it_starts_is_stopping() -> None:
    """Stopping wins over starting, also when the start is told afterwards."""
    lifecycle = Lifecycle()
    lifecycle.stop()
    assert await lifecycle.why_not_ready() == "stopping"
    lifecycle.started()
    assert await lifecycle.why_not_ready() == "stopping"


async def test_every_check_has_a_say() -> None:
    """The first reason in the order of the checks is told; ready again as soon as all agree."""
    lifecycle = Lifecycle()
    lifecycle.started()
    lifecycle.add_readiness_check(check(None, None, "first", None))
    lifecycle.add_readiness_check(check(None, "second", None))
    assert await lifecycle.why_not_ready() is None
    assert await lifecycle.why_not_ready() == "second"
    assert await lifecycle.why_not_ready() == "first"
    assert await lifecycle.why_not_ready() is None


async def test_checks_are_not_asked_outside_the_life_of_the_process() -> None:
    """While it starts or stops the answer is known, and no dependency is asked."""
    lifecycle = Lifecycle()
    lifecycle.add_readiness_check(check())
    assert await lifecycle.why_not_ready() == "starting"
    lifecycle.started()
    lifecycle.stop()
    assert await lifecycle.why_not_ready() == "stopping"


async def test_stop_lets_all_go_who_wait() -> None:
    """Whoever waited before the stop, and whoever asks after it; stopping twice is stopping."""
    lifecycle = Lifecycle()
    waiting = [asyncio.create_task(lifecycle.stopped()) for _ in range(2)]
    await asyncio.sleep(0)
    assert not any(each.done() for each in waiting)
    lifecycle.stop()
    lifecycle.stop()
    await asyncio.gather(*waiting, lifecycle.stopped())
    assert lifecycle.failure is None


async def test_a_failure_ends_the_process_and_keeps_its_first_reason() -> None:
    """What came first is the cause; what follows from it does not hide it, nor does a later stop."""
    lifecycle = Lifecycle()
    lifecycle.started()
    lifecycle.fail("the cause")
    lifecycle.fail("a consequence")
    lifecycle.stop()
    await lifecycle.stopped()
    assert lifecycle.failure == "the cause"
    assert await lifecycle.why_not_ready() == "stopping"


async def test_a_failure_while_stopping_counts() -> None:
    """A process that could not end as it should must not look like one that did."""
    lifecycle = Lifecycle()
    lifecycle.stop()
    lifecycle.fail("did not stop within 10 s")
    assert lifecycle.failure == "did not stop within 10 s"
