"""What `make` runs, and what docs/LOADTESTING.md has people run: real options, real targets, real files."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from deploy.local.stack import ROOT
from loadtests import options
from loadtests.connections import options as connections
from loadtests.shapes import SHAPES
from loadtests.slo import Slo
from tests.integration.test_loadtest_smoke import SMOKE

PAGE = (ROOT / "docs" / "LOADTESTING.md").read_text()
SHELL = re.sub(r"\\\n\s*", "", "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)))


def _made(target: str, *variables: str) -> list[str]:
    """The command that a target runs, without the interpreter."""
    # Without what the `make test` around it was told.
    environ = {
        name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKEOVERRIDES", "ARGS"}
    }
    done = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", target, *variables],
        cwd=ROOT, env=environ, check=True, capture_output=True, text=True,
    )  # fmt: skip
    (line,) = re.findall(r"-m (loadtests\S* .*)", re.sub(r"\\\n\s*", "", done.stdout))
    return shlex.split(line)


def _commands(module: str) -> list[list[str]]:
    """All calls of a module that the page shows, without comments."""
    found = re.findall(rf"-m {re.escape(module)}(?= |$)(.*)", SHELL, re.MULTILINE)
    return [shlex.split(each, comments=True) for each in found]


def test_a_minute_of_five_hundred_users() -> None:
    """What `make loadtest` is without anything said, and that all that can be said gets there."""
    module, *arguments = _made("loadtest")
    chosen = options.parse(arguments, None)
    assert (module, chosen.users, chosen.seconds, chosen.shape) == ("loadtests", 500, 60, "hold")
    _, *arguments = _made("loadtest", "USERS=7", "SECONDS=8", "SHAPE=storm", "PROCESSES=2", "ARGS=--think 3")
    chosen = options.parse(arguments, None)
    assert (chosen.users, chosen.seconds, chosen.shape, chosen.processes, chosen.think) == (7, 8, "storm", 2, 3)


def test_the_smoke_is_two_hundred_users_for_twenty_seconds() -> None:
    """As `make test` runs it, too."""
    module, *arguments = _made("loadtest-smoke")
    assert arguments == list(SMOKE)
    chosen = options.parse(arguments, None)
    assert (module, chosen.users, chosen.seconds, chosen.shape) == ("loadtests", 200, 20, "hold")


def test_ten_thousand_connections_over_four_gateways() -> None:
    """What `make loadtest-connections` is without anything said, and that all that can be said gets there."""
    module, *arguments = _made("loadtest-connections")
    chosen = connections.parse(arguments, None)
    assert module == "loadtests.connections"
    assert (chosen.connections, chosen.gateways, chosen.plan.seconds, chosen.plan.shape) == (10_000, 4, 600, "hold")
    _, *arguments = _made(
        "loadtest-connections", "N=20", "SECONDS=5", "RATE=9", "GATEWAYS=2", "SHAPE=step", "ARGS=--room-size 5"
    )
    chosen = connections.parse(arguments, None)
    assert (chosen.connections, chosen.gateways, chosen.room_size) == (20, 2, 5)
    assert (chosen.plan.seconds, chosen.plan.rate, chosen.plan.shape) == (5, 9, "step")


def test_every_command_of_the_page_is_taken() -> None:
    """By the options' own parsers; and targets of make are there."""
    users, holding = _commands("loadtests"), _commands("loadtests.connections")
    assert users
    assert holding
    for each in users:
        options.parse(each, None)
    for each in holding:
        connections.parse(each, None)
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert (called := set(re.findall(r"^make ([a-z-]+)", SHELL, re.MULTILINE))) <= set(targets)
    assert called >= {"loadtest", "loadtest-connections", "loadtest-smoke"}


def test_every_shape_is_told_of() -> None:
    """And none that there is not."""
    assert set(re.findall(r"^\| `([a-z]+)` \|", PAGE, re.MULTILINE)) == {*SHAPES}


def test_the_objectives_of_the_page_are_good(tmp_path: Path) -> None:
    """The SLO file that it shows is read."""
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "slo.yaml"
    file.write_text(text)
    assert Slo.read(file).requests


@pytest.mark.parametrize("page", ["LOADTESTING.md", "PERFORMANCE.md"])
def test_links_lead_somewhere(page: str) -> None:
    """Files of this repository, and headings of the pages."""
    text = (ROOT / "docs" / page).read_text()
    for to, _, heading in (each.partition("#") for each in re.findall(r"\]\((?!https?:)([^)]+)\)", text)):
        target = (ROOT / "docs" / to) if to else ROOT / "docs" / page
        assert target.exists(), to
        if heading:
            names = [
                re.sub(r"[^a-z0-9 -]", "", each.lower()).replace(" ", "-")
                for each in re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
            ]
            assert heading in names, heading
