"""What the image of the load test holds (Dockerfile, .dockerignore), without a container engine."""

import fnmatch
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from loadtests.report.environment import commit
from tests.unit.test_containers_lint import DOCKERFILE, ROOT, stage


def _is_left_out(path: Path) -> bool:
    """By the last line of .dockerignore that speaks of it, or of a folder that it is in."""
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    name, left_out = path.relative_to(ROOT).as_posix(), False
    for line in lines:
        pattern = line.removeprefix("!").rstrip("/").removeprefix("**/")
        folders = [name, *map(str, path.relative_to(ROOT).parents)]
        if any(
            fnmatch.fnmatchcase(each, pattern) or fnmatch.fnmatchcase(Path(each).name, pattern) for each in folders
        ):
            left_out = not line.startswith("!")
    return left_out


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder /app of it, but for what comes of other stages."""
    folder = tmp_path_factory.mktemp("app")
    for source, to in re.findall(r"^COPY (?!--)(\S+) (\S+)$", stage("service") + stage("loadtest"), re.MULTILINE):
        paths = [ROOT / source] if (ROOT / source).is_file() else sorted((ROOT / source).rglob("*"))
        for path in paths:
            if path.is_file() and not _is_left_out(path):
                within = path.relative_to(ROOT / source) if (ROOT / source).is_dir() else Path(path.name)
                (folder / to / within).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, folder / to / within)
    return folder


@pytest.mark.parametrize(
    "command",
    [
        ("-m", "loadtests.container", "--help"),
        ("-m", "loadtests.job", "loadtests", "--help"),
        ("-m", "loadtests.job", "loadtests.connections", "--help"),
        ("-m", "locust", "-f", "loadtests/locustfile.py", "--list"),
        ("-c", "import loadtests.connections.holder, loadtests.verdict, loadtests.report.html"),
        ("-m", "services.auth", "mint", "--help"),
    ],
    ids=" ".join,
)
def test_all_that_it_runs_is_in_it(image: Path, command: tuple[str, ...]) -> None:
    """Each command starts from what is copied, and from nothing else of this checkout."""
    environ = {**os.environ, "RESULTS": "results", "PARLEY_URL": "http://there"}
    done = subprocess.run(
        [sys.executable, *command], cwd=image, env=environ, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_else_is_in_it(image: Path) -> None:
    """No results of runs, no benchmark; files beside the code are there, and reports have a folder of their own."""
    found = {path.relative_to(image).as_posix() for path in image.rglob("*") if path.is_file()}
    assert not [each for each in found if each.startswith(("loadtests/bench/", "loadtests/results/", "tests/"))]
    assert not [each for each in found if "__pycache__" in each]
    assert {"loadtests/slo.yaml", "loadtests/slo-disturbed.yaml", "loadtests/report/page.html"} <= found
    assert re.search(r"install .*-o 10001 -g 10001 loadtests/results$", stage("loadtest"), re.MULTILINE)


def test_reports_from_it_name_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no git in it: it was told the commit when it was built."""
    assert re.search(r"^ENV REVISION=\$REVISION$", DOCKERFILE, re.MULTILINE)
    monkeypatch.setenv("REVISION", "1a2b3c4")
    assert commit(tmp_path) == "1a2b3c4"
    monkeypatch.delenv("REVISION")
    assert commit(tmp_path) == "unknown"
