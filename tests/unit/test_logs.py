"""Logs, as a process writes them: one JSON object a line, and no secrets."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runtime.logs import _SECRET_NAMES

ROOT = Path(__file__).parents[2]
CONFIGURE = """
import logging, structlog, sys
from runtime import logs
logs.configure(service="gateway", instance="pod-1", level="info")
log = structlog.get_logger()
library = logging.getLogger("some.library")
"""


def written(program: str) -> list[dict[str, Any]]:
    """The lines that a process writes in which `program` runs after logs are configured; all must be JSON."""
    done = subprocess.run(
        [sys.executable, "-c", CONFIGURE + program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr == ""
    assert done.stdout.endswith("\n") or not done.stdout
    return [json.loads(line) for line in done.stdout.removesuffix("\n").split("\n") if done.stdout]


def test_a_line_says_what_when_and_where() -> None:
    """Event, level, UTC time, service and instance, beside what the call site gave."""
    (line,) = written('log.info("room opened", room="lobby", members=3)')
    at = datetime.fromisoformat(line.pop("timestamp"))
    assert at.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=5)
    expected = {"event": "room opened", "level": "info", "service": "gateway", "instance": "pod-1"}
    assert line == {**expected, "room": "lobby", "members": 3}


def test_libraries_write_the_same_lines() -> None:
    """The standard library's logging has the same shape, and the logger's name; arguments are filled in."""
    (line,) = written('library.warning("retry %s of %d", "one", 3)')
    assert line.pop("timestamp")
    expected = {"event": "retry one of 3", "level": "warning", "service": "gateway", "instance": "pod-1"}
    assert line == {**expected, "logger": "some.library"}


def test_what_a_library_logs_of_an_exception_is_there_whenever_it_does() -> None:
    """aiohttp, and asyncio's loop, log one that is not being handled any more."""
    program = """
try:
    raise ValueError("why")
except ValueError as error:
    caught = error
library.error("failed", exc_info=caught)
log.error("failed", exc_info=caught)
"""
    assert ["ValueError: why" in line["exception"] for line in written(program)] == [True, True]


@pytest.mark.parametrize("name", sorted(_SECRET_NAMES))
def test_secrets_never_appear(name: str) -> None:
    """What goes by a secret's name is removed, whatever its value; what is beside it stays."""
    lines = written(
        f'for value in ("hunter2", b"hunter2", ["hunter2"]):\n    log.error("slip", kept=1, {name}=value)'
    )
    assert len(lines) == 3
    assert "hunter2" not in json.dumps(lines)
    assert {(line[name], line["kept"]) for line in lines} == {("[removed]", 1)}


def test_the_names_of_secrets_are_the_contracts() -> None:
    """Tokens, passwords, the bearer's header, and what people say to each other."""
    tokens = {"token", "access_token", "refresh_token", "authorization", "headers"}
    assert tokens | {"password", "body", "data", "payload"} <= _SECRET_NAMES


@pytest.mark.parametrize(
    "slip", ["Token='hunter2'", "request={'password': 'hunter2'}", "auth=[{'token': 'hunter2'}]"]
)
def test_secrets_never_appear_in_disguise(slip: str) -> None:
    """Nor in another case, nor within a value."""
    assert "hunter2" not in json.dumps(written(f'log.error("slip", {slip})'))


@pytest.mark.parametrize("logger", ["log", "library"])
def test_an_exception_is_within_its_line(logger: str) -> None:
    """The traceback is a field of the one line that tells of it, with its cause."""
    program = "try:\n    int('x' + chr(10) + 'y')\nexcept ValueError:\n    " + logger + ".exception('failed')"
    (line,) = written(program)
    assert (line["event"], line["level"]) == ("failed", "error")
    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert "ValueError: invalid literal" in line["exception"]


def test_nothing_that_is_logged_can_break_a_line() -> None:
    """Line breaks, half characters and objects of any kind stay within the line that has them."""
    program = (
        'log.info("a\\nb\\u2028c", x=object(), y=b"\\xff", z="\\ud800", e=ValueError("bad"))\nlibrary.error("a\\nb")'
    )
    lines = written(program)
    assert [line["event"] for line in lines] == ["a\nb\u2028c", "a\nb"]


def test_numbers_that_json_does_not_have_are_written_as_json() -> None:
    """A collector of logs that keeps to RFC 8259 must be able to read every line."""
    done = subprocess.run(
        [sys.executable, "-c", CONFIGURE + 'log.info("lag", seconds=float("nan"))'],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    json.loads(done.stdout, parse_constant=lambda _: pytest.fail("not JSON"))


def test_the_level_is_a_threshold() -> None:
    """What is below it is not written, ours and the libraries'; the chatty ones begin at warning."""
    lines = written(
        "log.debug('no'); log.info('yes'); library.debug('no'); library.info('yes')\n"
        "for name in ('pymongo.topology', 'asyncio', 'aiohttp.access'):\n"
        "    logging.getLogger(name).info('no'); logging.getLogger(name).warning('yes')"
    )
    assert [line["event"] for line in lines] == ["yes"] * 5
