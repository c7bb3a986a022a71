"""The shapes of a load, played on a stage whose clock is turned by hand."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from loadtests.facts import Phase
from loadtests.shapes import SHAPES

_ARRIVING = 1.0
_BACK = 4.0


class Diary:
    """A stage that writes down what is done on it, and when."""

    def __init__(self, *, users: int = 100, seconds: float = 60, steps: int = 4) -> None:
        self.users = users
        self.seconds = seconds
        self.steps = steps
        self.now = 0.0
        self.phases: list[Phase] = []
        self.filled: list[tuple[int, bool]] = []
        self.done: list[str] = []
        self.limits: Callable[[int], str | None] = lambda _: None

    @contextmanager
    def phase(self, name: str, *, measured: bool = True) -> Iterator[None]:
        """As the real one."""
        begin = self.now
        yield
        self.phases.append(Phase(name, begin, self.now, measured))

    def fill(self, users: int, *, at_once: bool = False) -> None:
        """As if it took a second."""
        self.filled.append((users, at_once))
        self.now += _ARRIVING

    def wait(self, seconds: float) -> None:
        """At once."""
        self.now += seconds

    def drop(self) -> None:
        """As if all came back."""
        self.done.append("drop")
        self.now += _BACK

    def hook(self) -> None:
        """As if it worked."""
        self.done.append("hook")
        self.now += _BACK

    def limit(self) -> str | None:
        """What the test wants."""
        return self.limits(self.filled[-1][0])

    def note(self, text: str) -> None:
        """Kept."""
        self.done.append(text)

    @property
    def measured(self) -> dict[str, float]:
        """How long each measured phase was."""
        return {each.name: each.end - each.begin for each in self.phases if each.measured}


@pytest.mark.parametrize("shape", SHAPES)
def test_each_comes_to_all_users_and_measures_as_long_as_told(shape: str) -> None:
    """Whatever it does beside that: phases lie one after the other, and arriving at first is not measured."""
    stage = Diary()
    SHAPES[shape](stage)
    assert max(users for users, _ in stage.filled) == 100
    assert not stage.phases[0].measured
    for before, after in zip(stage.phases, stage.phases[1:], strict=False):
        assert before.end == after.begin
    extra = {"spike": _ARRIVING, "storm": _BACK, "rolling": _BACK}.get(shape, 0)
    assert sum(stage.measured.values()) == pytest.approx(60 + extra)


def test_a_spike_measures_the_arriving_and_falls_back() -> None:
    """A quarter, then all at once, then the quarter again."""
    stage = Diary()
    SHAPES["spike"](stage)
    assert stage.filled == [(25, False), (100, True), (25, True)]
    assert stage.measured == {"before": 20, "spike": 20 + _ARRIVING, "after": 20}


def test_a_soak_can_be_compared_quarter_by_quarter() -> None:
    """Four of equal length."""
    stage = Diary()
    SHAPES["soak"](stage)
    assert list(stage.measured.values()) == [15] * 4


@pytest.mark.parametrize(
    ("shape", "done", "phase"), [("storm", "drop", "storm"), ("rolling", "hook", "rolling restart")]
)
def test_what_is_done_lies_between_two_holds(shape: str, done: str, phase: str) -> None:
    """And is measured for as long as it takes."""
    stage = Diary()
    SHAPES[shape](stage)
    assert stage.done == [done]
    assert stage.measured == {"before": 30, phase: _BACK, "after": 30}


def test_steps_end_with_the_first_that_is_too_much() -> None:
    """Only what is held is measured; what it was that was too much is noted."""
    stage = Diary(steps=4)
    stage.limits = lambda users: "message p99" if users >= 75 else None
    SHAPES["step"](stage)
    assert [users for users, _ in stage.filled] == [25, 50, 75]
    assert list(stage.measured) == ["step 1: 25 users", "step 2: 50 users", "step 3: 75 users"]
    assert stage.done == ["step 3 was too much: message p99"]


def test_there_are_no_empty_steps() -> None:
    """More steps than users."""
    stage = Diary(users=2, steps=5)
    SHAPES["step"](stage)
    assert [users for users, _ in stage.filled] == [1, 2]
