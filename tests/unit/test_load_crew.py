"""The holders, as their conductor knows them."""

from loadtests.connections.crew import Crew
from loadtests.connections.orders import Setup
from loadtests.facts import Facts


def _setup(index: int) -> Setup:
    return Setup(f"holder-{index}", "run", index, 2, 2 * index, ["a", "b"], ["http://h:1"], [], 2, 1.0)


def test_a_lost_holder_does_not_keep_the_others_from_being_settled() -> None:
    """What is under way to their members still has its time to arrive; with nobody there is nothing to wait for."""
    crew = Crew([_setup(0), _setup(1)])
    assert crew.is_lost
    assert crew.is_settled
    there = crew.hands[1]
    there.facts = Facts()  # it is there, the other is not
    assert not crew.is_settled
    there.is_settled = True
    assert not crew.is_settled
    there.connected = 2
    assert crew.is_settled
