"""The auth service's commands, as processes: a key is made whole or not at all, and nonsense is refused."""

import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.stack import ROOT
from services.auth import keys


def auth(*arguments: str, key: Path | None = None, full_disk: bool = False) -> "subprocess.CompletedProcess[str]":
    """`python -m services.auth` with these arguments; with `full_disk`, no file of it can hold a byte."""

    def fill_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    environ = {"PATH": os.environ.get("PATH", ""), "PYTHONDONTWRITEBYTECODE": "1", "SIGNING_KEY_FILE": str(key or "")}
    return subprocess.run(
        [sys.executable, "-m", "services.auth", *arguments],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        preexec_fn=fill_disk if full_disk else None,
    )


def test_a_key_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    """It can be read back, its id is printed, and nothing else is left in the folder."""
    file = tmp_path / "key.pem"
    done = auth("keygen", "--out", str(file))
    assert (done.returncode, done.stdout) == (0, f"{keys.read(file).kid}\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    """Not even an empty file, nor a link that leads nowhere: one line, exit code 1, nothing left behind."""
    empty, link = tmp_path / "empty.pem", tmp_path / "link.pem"
    empty.touch()
    link.symlink_to("nowhere")
    for file in (empty, link):
        done = auth("keygen", "--out", str(file))
        assert done.returncode == 1
        assert done.stderr == f"auth: {file} exists; a key is never overwritten\n"
    assert sorted(tmp_path.iterdir()) == [empty, link]
    assert empty.read_bytes() == b""


def test_a_key_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    """A full disk: the next try must not find a part of a key and take it for one."""
    file = tmp_path / "key.pem"
    done = auth("keygen", "--out", str(file), full_disk=True)
    assert (done.returncode, done.stderr) == (1, f"auth: {file}: File too large\n")
    assert list(tmp_path.iterdir()) == []
    assert auth("keygen", "--out", str(file)).returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["--users", "0"],
        ["--users", "-1"],
        ["--users", "many"],
        ["--users", "1", "--seconds", "0"],
        ["--users", "1", "--seconds", "-5"],
    ],
    ids=" ".join,
)
def test_mint_refuses_nonsense(tmp_path: Path, arguments: list[str]) -> None:
    """No token that has expired before it is used, and no silence that looks like success."""
    file = tmp_path / "key.pem"
    keys.generate(file)
    done = auth("mint", *arguments, key=file)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith(f"error: argument {arguments[-2]}: must be a whole number, 1 or more\n")


def test_mint_prints_a_token_for_each_user(tmp_path: Path) -> None:
    """One a line."""
    file = tmp_path / "key.pem"
    keys.generate(file)
    done = auth("mint", "--users", "3", "--seconds", "1", key=file)
    assert done.returncode == 0
    assert len(done.stdout.split()) == 3
