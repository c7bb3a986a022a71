"""Whether a run says anything: by what its generators used, what they ran out of, and what they found themselves."""

import pytest

from loadtests import kinds
from loadtests.facts import Facts, Phase, Process, Usage
from loadtests.validity import limit, reasons, warnings

_BEGIN, _HOLD, _END = 1_800_000_000, 1_800_000_020, 1_800_000_080
"""Of 20 s in which users arrive, and a minute in which is measured."""


def _facts(*generators: Process) -> Facts:
    """Of a run in which nothing is wrong, but for what is put into it."""
    facts = Facts(settled=True, generators=list(generators) or [_generator()])
    facts.phases = [Phase("ramp", _BEGIN, _HOLD, measured=False), Phase("hold", _HOLD, _END)]
    for second in range(_BEGIN, _END):
        facts.timeline.took(kinds.MESSAGE, 0.004, second)
        facts.timeline.count(kinds.DELIVERIES, second, by=10)
    return facts


def _generator(
    cpu: dict[int, float] | None = None, lag: dict[int, float] | None = None, waiting: float | None = 1.0
) -> Process:
    """One that was well, but for these seconds: counted from the first that is measured."""
    usage = [
        Usage(
            at=at,
            cpu_percent=(cpu or {}).get(at - _HOLD, 60.0),
            memory_bytes=100_000_000,
            lag_seconds=(lag or {}).get(at - _HOLD, 0.01),
            waiting_percent=waiting,
        )
        for at in range(_BEGIN, _END)
    ]
    return Process("generator 1", "a", usage)


def _at(*seconds: int, value: float) -> dict[int, float]:
    return dict.fromkeys(seconds, value)


def test_a_good_run_is_valid() -> None:
    """And there is nothing to be aware of."""
    facts = _facts()
    assert reasons(facts) == []
    assert warnings(facts) == []


def test_a_generator_without_time_makes_it_invalid() -> None:
    """Five seconds in a row above 90 %, not four; 90 % itself is not above."""
    assert reasons(_facts(_generator(cpu=_at(*range(4), value=99.0)))) == []
    assert reasons(_facts(_generator(cpu=_at(*range(60), value=90.0)))) == []
    found = reasons(_facts(_generator(cpu=_at(*range(10, 15), value=90.1))))
    assert found == ["generator 1 used more than 90 % of a core for 5 s in a row"]


def test_it_may_be_busy_while_users_arrive() -> None:
    """What is measured then counts for nothing; nor does what reaches from there into the hold, if it is short."""
    assert reasons(_facts(_generator(cpu=_at(*range(-20, 4), value=100.0)))) == []


def test_seconds_that_a_busy_generator_says_nothing_of_are_busy() -> None:
    """Two above with a gap between them are as long as they are apart."""
    generator = _generator(cpu=_at(10, 16, value=99.0))
    generator.usage = [each for each in generator.usage if not _HOLD + 10 < each.at < _HOLD + 16]
    assert reasons(_facts(generator)) == ["generator 1 used more than 90 % of a core for 7 s in a row"]


def test_what_lies_between_two_measured_phases_is_no_part_of_a_row() -> None:
    """A second above at the end of one step and one at the beginning of the next, with users arriving between."""
    facts = _facts(_generator(cpu=_at(19, 40, value=99.0)))
    facts.phases = [Phase("step 1", _HOLD, _HOLD + 20), Phase("step 2", _HOLD + 40, _END)]
    assert reasons(facts) == []
    facts.phases = [Phase("before", _HOLD, _HOLD + 20), Phase("after", _HOLD + 20, _END)]
    facts.generators = [_generator(cpu=_at(*range(17, 22), value=99.0))]
    assert reasons(facts) == ["generator 1 used more than 90 % of a core for 5 s in a row"]


def test_often_is_too_much_too() -> None:
    """A tenth of the seconds, none of them near another."""
    assert reasons(_facts(_generator(cpu=_at(*range(0, 50, 10), value=99.0)))) == []
    found = reasons(_facts(_generator(cpu=_at(*range(0, 60, 10), value=99.0))))
    assert found == ["generator 1 used more than 90 % of a core in 6 of 60 s"]


def test_each_generator_is_looked_at_by_itself() -> None:
    """One of two is enough."""
    busy = _generator(cpu=_at(*range(30), value=99.0))
    busy.name = "generator 2"
    assert reasons(_facts(_generator(), busy)) == ["generator 2 used more than 90 % of a core for 30 s in a row"]


def test_a_loop_that_stood_still_makes_it_invalid() -> None:
    """More than 2 s, once; or late by more than 200 ms three times in a minute."""
    assert reasons(_facts(_generator(lag={5: 1.9, 9: 0.3}))) == []
    assert reasons(_facts(_generator(lag={-5: 10.0}))) == []
    assert reasons(_facts(_generator(lag={5: 2.1}))) == ["generator 1 stood still for 2.1 s"]
    found = reasons(_facts(_generator(lag=_at(5, 6, 40, value=0.21))))
    assert found == ["generator 1 was late by more than 200 ms in 3 of 60 s"]


@pytest.mark.parametrize("code", kinds.EXHAUSTED)
def test_exhausted_files_and_ports_make_it_invalid(code: str) -> None:
    """At any time: while users arrive it is that they never did."""
    facts = _facts()
    facts.timeline.failed(kinds.CONNECT, kinds.TIMEOUT, _BEGIN)
    assert reasons(facts) == []
    facts.timeline.failed(kinds.CONNECT, code, _BEGIN)
    facts.timeline.failed(kinds.RECONNECT, code, _END - 1)
    assert reasons(facts) == [f"2 times there were {code} for a connection on a generator's host"]


def test_what_the_generators_found_makes_it_invalid() -> None:
    """Clocks, say; and their own defects."""
    facts = _facts()
    facts.invalid = ["the wall clock was set back by 3.0 s"] * 2
    facts.crashes = ["KeyError: 'x'"]
    assert reasons(facts) == [
        "the wall clock was set back by 3.0 s",
        "the load test itself went wrong: KeyError: 'x'",
    ]


def test_a_run_without_anything_measured_is_none() -> None:
    """No phase, nothing in it, or nobody who says what the generators used."""
    facts = _facts()
    facts.phases = [Phase("ramp", _BEGIN, _END, measured=False)]
    assert reasons(facts) == ["no phase was measured"]
    facts = _facts()
    facts.timeline.seconds.clear()
    facts.timeline.failed(kinds.CONNECT, kinds.UNREACHABLE, _HOLD)
    assert reasons(facts) == ["nothing succeeded in any measured phase, so there is nothing to tell"]
    facts = _facts()
    facts.generators = []
    assert reasons(facts) == ["no generator told what it used while it was measured"]
    assert reasons(Facts()) == ["no phase was measured"]


def test_what_ends_a_run_by_steps_does_not_make_it_invalid() -> None:
    """It is valid up to the last step that held; clocks count to the end."""
    facts = _facts(_generator(cpu=_at(*range(40, 60), value=100.0), lag={50: 3.0}))
    facts.phases = [Phase(f"step {number}", _BEGIN + 20 * number, _BEGIN + 20 * (number + 1)) for number in range(4)]
    facts.timeline.failed(kinds.CONNECT, kinds.NO_PORTS, _HOLD + 45)
    assert len(reasons(facts)) == 3
    assert reasons(facts, until=facts.phases[2].end) == []
    facts.invalid = ["the machine was suspended for 12.0 s"]
    assert reasons(facts, until=facts.phases[2].end) == facts.invalid
    limits = [limit(facts.generators, each.begin, each.end) for each in facts.phases]
    assert limits == [None, None, None, "generator 1 used more than 90 % of a core for 20 s in a row"]


def test_a_reader_has_to_know_what_was_not_timed() -> None:
    """Deliveries from another host: their share."""
    facts = _facts()
    facts.timeline.count(kinds.UNTIMED, _HOLD, by=200)
    assert warnings(facts) == ["25 % of the deliveries came from another host: they were counted, and not timed"]


def test_a_reader_has_to_know_of_truncated_resumes() -> None:
    """What they left out is in no account."""
    facts = _facts()
    facts.timeline.count(kinds.TRUNCATED, _HOLD, by=2)
    [found] = warnings(facts)
    assert found.startswith("2 resumes brought the newest of what was missed")


def test_a_reader_has_to_know_of_a_busy_machine() -> None:
    """A generator that waited for a core, or was late now and then; a kernel that does not tell is let be."""
    assert warnings(_facts(_generator(waiting=None))) == []
    assert warnings(_facts(_generator(waiting=25.0))) == [
        "generator 1 waited 25 % of the time for a core that others had: its machine was busy"
    ]
    assert warnings(_facts(_generator(lag={5: 0.3}))) == ["generator 1 was late in 1 of 60 s, by 300 ms at most"]


def test_a_reader_has_to_know_that_it_never_settled() -> None:
    """And what the generators found to be worth knowing, once."""
    facts = _facts()
    facts.settled = False
    facts.warnings = ["one", "one"]
    assert warnings(facts) == ["one", "not everything had arrived when waiting for it was given up"]
