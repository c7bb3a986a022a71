"""What `python -m loadtests` can be told."""

from pathlib import Path

import pytest

from loadtests import mix, run
from loadtests.folders import results_folder
from loadtests.options import parse

_THERE = ["--url", "http://there", "--tokens", "tokens"]


def test_without_any_it_is_the_usual_minute_of_500_users_on_a_stack_of_its_own() -> None:
    """And rooms for all of them, of a run that has a name of its own."""
    one, other = parse([], None), parse([], None)
    assert (one.users, one.seconds, one.shape, one.own_stack, one.players) == (500, 60, "hold", True, 1)
    assert one.rooms == 125
    assert one.mix == mix.USUAL
    assert one.run != other.run


def test_a_soak_thinks_longer() -> None:
    """Unless told otherwise."""
    assert parse([], None).think == 10
    assert parse(["--shape", "soak"], None).think == 30
    assert parse(["--shape", "soak", "--think", "5"], None).think == 5


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--users", "0"], "--users"),
        (["--users", "100000"], "--users"),
        (["--seconds", "1e9"], "--seconds"),
        (["--shape", "square"], "square"),
        (["--url", "http://there"], "--tokens"),
        (["--tokens", "x"], "--url"),
        (["--mix", "chat=1,cat=2"], "there are no users 'cat'"),
        (["--mix", "chat=-1"], "not a number"),
        (["--mix", "chat=0"], "nobody"),
        (["--run", "a b"], "letters and digits"),
        (["--metrics", "http://there/metrics"], "--url"),
        (["--hook", "true"], "rolling"),
        ([*_THERE, "--shape", "rolling"], "--hook"),
        (["--bind", "nowhere"], "like host:5557"),
        ([*_THERE, "--bind", "0.0.0.0:5557"], "--expect-workers"),
        ([*_THERE, "--expect-workers", "2"], "--bind"),
        (["--bind", "0.0.0.0:5557", "--expect-workers", "2"], "--url"),
        ([*_THERE, "--bind", "0.0.0.0:5557", "--expect-workers", "2", "--processes", "2"], "plays no users itself"),
        (["--worker-of", "there:5557"], "--tokens"),
    ],
)
def test_what_cannot_be_run_ends_with_2_and_says_why(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bounded in all numbers; options that only make sense together come together."""
    with pytest.raises(SystemExit) as ended:
        parse(arguments, None)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_an_slo_that_is_none_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is started."""
    slo = tmp_path / "slo.yaml"
    slo.write_text("requests:\n  massage:\n    p99_ms: 1\n")
    assert run.main(["--slo", str(slo)]) == 2
    assert "massage" in capsys.readouterr().err


def test_too_few_tokens_end_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One for each user."""
    tokens = tmp_path / "tokens"
    tokens.write_text("one\ntwo\n")
    assert run.main(["--url", "http://127.0.0.1:1", "--tokens", str(tokens), "--users", "3"]) == 2
    assert "3 users need as many tokens; tokens holds 2" in capsys.readouterr().err


def test_a_mix_is_written_as_it_is_read() -> None:
    """Who has no weight is not in it."""
    assert mix.parse(mix.text(mix.USUAL)) == mix.USUAL
    assert mix.parse(" chat=3, storm=0 ,lurker=1") == {"chat": 3, "lurker": 1}


def test_two_runs_in_one_second_have_folders_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named after the time; one that was chosen is used as it is."""
    monkeypatch.setattr("loadtests.folders.RESULTS", tmp_path / "results")
    assert results_folder(None, 1_795_885_500.0).name == "20261128-170500"
    assert results_folder(None, 1_795_885_500.9).name == "20261128-170500-2"
    chosen = tmp_path / "a" / "b"
    assert results_folder(chosen, 0.0) == chosen
    assert results_folder(chosen, 0.0).is_dir()
