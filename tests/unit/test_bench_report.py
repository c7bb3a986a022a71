"""The tables that the benchmark prints."""

from pathlib import Path

from loadtests.bench import report, verdicts
from loadtests.bench.cases.mixed import PERCENTILES, SAME_RATE, clients_cpu, cpu, latency, messages
from loadtests.bench.options import Options
from loadtests.bench.samples import Sample, Samples

STREAMS = "node + redis streams"
OPTIONS = Options(
    peers=True, cases=("fanout", "mixed"), connections=(1000, 8000), repeats=2, seconds=1, out=Path("nowhere")
)
FAN_OUT = "CPU per delivery, 2 in flight, us"


def mixed(target: str, repeat: int, factor: float, *loads: str) -> Sample:
    """Latencies that rise with the percentile."""
    figures: dict[str, float] = {}
    for load in loads:
        figures |= {latency(each, load): factor * each / 10 for each in PERCENTILES}
        figures |= {messages(load): 8000.0, cpu(load): 48.0, clients_cpu(load): 61.0}
    return Sample("mixed", 1000, repeat, target, figures, remarks=("75 %: held to 8,000 messages a second",))


def fan_out(target: str, repeat: int, connections: int, us: float) -> Sample:
    """One figure."""
    return Sample("fanout", connections, repeat, target, {FAN_OUT: us})


def samples() -> Samples:
    """Two repeats, two targets, two cases."""
    found = Samples()
    for repeat in range(2):
        found.add(mixed("parley", repeat, 1.0 + repeat, "50 %", SAME_RATE))
        found.add(mixed(STREAMS, repeat, 2.0, "50 %"))
        for connections in OPTIONS.connections:
            found.add(fan_out("parley", repeat, connections, connections / 1000 + repeat))
    return found


def test_latencies_have_a_table_of_their_own() -> None:
    """A block per load, a line per target: percentiles with their spread, the rate, and how busy both cores were."""
    text = report.latencies(samples(), OPTIONS)
    block = text.split(f"at 50 %, {1000:,} connections\n")[1].splitlines()
    assert block[0].split()[:3] == ["p50", "p99", "p99.9"]
    assert " ".join(block[1].split()) == (
        "parley 7.50 (5.00 .. 10.00) 14.85 (9.90 .. 19.80) 14.98 (9.99 .. 19.98) 8,000; 48.00; 61.00"
    )
    assert block[2].split()[0] == "node"
    assert f"at {SAME_RATE}" in text
    assert "mixed" not in report.table(samples(), OPTIONS)


def test_costs_and_their_growth_are_shown_with_their_spread() -> None:
    """In the table, a column per number of connections; then from the fewest to the most."""
    table = report.table(samples(), OPTIONS)
    assert f"fanout: {FAN_OUT}" in table
    assert " ".join(table.splitlines()[-1].split()) == "parley 1.50 (1.00 .. 2.00) 8.50 (8.00 .. 9.00)"
    growth = report.growth(samples(), OPTIONS)
    assert growth.splitlines()[-1].split()[-4:] == ["6.25", "(4.50", "..", "8.00)"]
    assert FAN_OUT in growth


def test_verdicts_have_a_spread() -> None:
    """The ratio of each repeat is between the least and the most."""
    text = verdicts.table(verdicts.verdicts(samples(), OPTIONS.connections))
    assert "0.75 (0.50 .. 1.00)" in text


def test_a_load_that_was_held_back_is_told() -> None:
    """Once for a target and a load, with the repeats."""
    text = report.remarks(samples())
    assert "NOTE mixed, 1,000 connections, parley: 75 %: held to 8,000 messages a second (repeat 1, 2)" in text
    assert len(text.splitlines()) == 2
