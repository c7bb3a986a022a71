"""What `python -m loadtests` can be told."""

import base64
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from loadtests import before, mix, preflight, run
from loadtests.connections import run as connections
from loadtests.folders import reporting, results_folder
from loadtests.options import parse
from loadtests.report import history

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
        ([*_THERE, "--metrics", "gateway-1:9080"], "not like http://HOST:PORT"),
        (["--url", "there:8080", "--tokens", "tokens"], "not like http://HOST:PORT"),
        (["--url", "http://there:99999", "--tokens", "tokens"], "not like http://HOST:PORT"),
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


@pytest.mark.parametrize(("main", "what"), [(run.main, "users"), (connections.main, "connections")])
def test_too_few_tokens_end_with_2(
    main: Callable[[list[str]], int], what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One for each user, whose connection it is; and what is no text holds none."""
    tokens = tmp_path / "tokens"
    arguments = ["--url", "http://127.0.0.1:1", "--tokens", str(tokens), f"--{what}", "3"]
    tokens.write_text("one\ntwo\n")
    assert main(arguments) == 2
    assert f"3 {what} need as many tokens; tokens holds 2" in capsys.readouterr().err
    tokens.write_bytes(b"\xff\xfe")
    assert main(arguments) == 2
    assert f"{tokens} holds no tokens" in capsys.readouterr().err


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


def test_a_report_has_a_folder_before_the_run_and_only_if_there_is_one_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is seen before the run."""
    with reporting(tmp_path / "empty", 0.0) as folder:
        assert folder.is_dir()
    assert not folder.exists()
    with reporting(tmp_path / "full", 0.0) as folder:
        (folder / "run.json").touch()
    assert folder.exists()
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("loadtests.folders.disk_usage", lambda _: usage._replace(free=1_000_000))
    with pytest.raises(OSError, match="1 MB are free"), reporting(tmp_path / "none", 0.0):
        pytest.fail("it began")
    assert not (tmp_path / "none").exists()


def _token(exp: float) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"sub": "load-1", "exp": exp}).encode()).decode().rstrip("=")
    return f"e30.{claims}.c2ln"


@pytest.mark.parametrize(("left", "told"), [(-5, "a token ends already"), (50, "a token ends in ")])
def test_tokens_that_end_before_the_run_end_it_with_2(
    left: float, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anybody connects."""
    tokens = tmp_path / "tokens"
    tokens.write_text("\n".join(_token(time.time() + each) for each in (9000, left, 9000)))
    assert run.main(["--url", "http://127.0.0.1:1", "--tokens", str(tokens), "--users", "3"]) == 2
    assert told in capsys.readouterr().err


def test_a_deployment_that_does_not_answer_ends_it_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Asked several times, and then not measured."""
    monkeypatch.setattr(history, "_PAUSE_SECONDS", 0.01)
    tokens = tmp_path / "tokens"
    tokens.write_text(_token(time.time() + 9000))
    given = ["--url", "http://127.0.0.1:1", "--tokens", str(tokens), "--out", str(tmp_path / "report")]
    for main, one in ((run.main, "--users"), (connections.main, "--connections")):
        assert main([*given, one, "1"]) == 2
        assert "http://127.0.0.1:1 lets nobody in: Cannot connect" in capsys.readouterr().err
    assert not (tmp_path / "report").exists()


def test_a_defect_ends_with_2(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Python's own 1 would say that something was lost."""
    monkeypatch.setattr("loadtests.slo.Slo.read", lambda _: 1 / 0)
    assert (run.main([]), connections.main([])) == (2, 2)
    assert capsys.readouterr().err.count("ZeroDivisionError") == 2


def test_a_browser_has_two_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last poll's beside its WebSocket."""
    needs = list[preflight.Need]()

    def check(need: preflight.Need) -> list[preflight.Finding]:
        needs.append(need)
        return []

    monkeypatch.setattr("loadtests.preflight.check", check)
    for each in ("chat=3,browser=1", "chat=1"):
        before.machine(parse(["--users", "400", "--mix", each], None), ["http://127.0.0.1:1"])
    assert [each.connections for each in needs] == [500, 400]
