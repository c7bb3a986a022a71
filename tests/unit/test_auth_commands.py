"""The auth service's commands, as processes: a key is made whole or not at all, and nonsense is refused."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.ports import HOST
from deploy.local.stack import ROOT
from services.auth import commands, key_folder, keys


def auth(
    *arguments: str, key: Path | None = None, full_disk: bool = False, **environ: str
) -> "subprocess.CompletedProcess[str]":
    """`python -m services.auth` with these arguments; with `full_disk`, no file of it can hold a byte."""

    def fill_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    environ |= {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONDONTWRITEBYTECODE": "1",
        "SIGNING_KEYS_DIR": str(key or ""),
    }
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


def refused(*arguments: str, told: pytest.CaptureFixture[str]) -> str:
    """What is said of arguments that are nonsense, to whoever runs it: exit code 2, nothing on standard output.

    Within this process: nothing is done with them but to read them, and an import of it all takes a second.
    """
    with pytest.raises(SystemExit) as ended:
        commands.main(list(arguments))
    out, said = told.readouterr()
    assert (ended.value.code, out) == (2, "")
    return said


def test_rotate_says_what_it_did(tmp_path: Path) -> None:
    """A line for each key, with its id; nothing but keys is left in the folder."""
    folder = tmp_path / "keys"
    (made,) = auth("rotate", "--dir", str(folder)).stdout.splitlines()
    (key,) = key_folder.read(folder)
    assert made.endswith(f"Z.pem, kid {key.kid}")
    done = auth("rotate", "--dir", str(folder))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1] == made.replace("made", "kept")
    assert len(list(folder.iterdir())) == len(key_folder.read(folder)) == 2


def test_rotations_at_once_make_a_key_each(tmp_path: Path) -> None:
    """None overwrites another's, and none fails."""
    command = [sys.executable, "-m", "services.auth", "rotate", "--dir", str(tmp_path)]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) for _ in range(4)]
    assert [each.communicate()[0].count(b"made") for each in running] == [1] * 4
    assert len({each.kid for each in key_folder.read(tmp_path)}) == 4


def test_a_key_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    """A full disk: the next try must not find a part of a key and take it for one."""
    done = auth("rotate", "--dir", str(tmp_path), full_disk=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"auth: {tmp_path}/2")
    assert done.stderr.endswith("Z.pem: File too large\n")
    assert list(tmp_path.iterdir()) == []
    assert auth("rotate", "--dir", str(tmp_path)).returncode == 0


def test_rotate_names_what_is_wrong(tmp_path: Path) -> None:
    """One line and exit code 1."""
    (tmp_path / "file").touch()
    for folder, said in (("none/keys", "No such file or directory"), ("file", "File exists")):
        done = auth("rotate", "--dir", str(tmp_path / folder))
        assert (done.returncode, done.stderr) == (1, f"auth: {tmp_path / folder}: {said}\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["create", "--name", "a b", "--scopes", "publish"], "argument --name: must be 1 to 60 letters"),
        (["create", "--name", "billing\n", "--scopes", "publish"], "argument --name: must be 1 to 60 letters"),
        (["create", "--name", "a" * 61, "--scopes", "publish"], "argument --name: must be 1 to 60 letters"),
        (["revoke", "--name", "a b"], "argument --name: must be 1 to 64 letters"),
        (["create", "--name", "billing", "--scopes", "publish,admin"], "argument --scopes: must be some of publish,"),
        (["create", "--name", "billing", "--scopes", ""], "argument --scopes: must be some of publish,"),
        (["create", "--name", "billing"], "required: --scopes"),
        (["revoke"], "required: --name"),
        ([], "required: action"),
    ],
    ids=str,
)
def test_token_refuses_nonsense(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Before the database is asked; nothing on standard output, which might be taken for a token."""
    assert said in refused("token", *arguments, told=capsys)


@pytest.mark.parametrize(
    ("arguments", "url", "said"),
    [
        (["list"], "", "MONGO_URL is not set"),
        (["create", "--name", "n", "--scopes", "notify"], "http://h", "MONGO_URL is malformed"),
        (
            ["create", "--name", "n", "--scopes", "notify"],
            f"mongodb://{HOST}:1",
            "the database of accounts does not answer",
        ),
        (["revoke", "--name", "n"], f"mongodb://{HOST}:1", "the database of accounts does not answer"),
    ],
)
def test_token_without_a_database(arguments: list[str], url: str, said: str) -> None:
    """One line, exit code 1, nothing on standard output."""
    done = auth("token", *arguments, MONGO_URL=url)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"auth: {said}\n")


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
def test_mint_refuses_nonsense(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """No token that has expired before it is used, and no silence that looks like success."""
    said = refused("mint", *arguments, told=capsys)
    assert said.endswith(f"error: argument {arguments[-2]}: must be a whole number, 1 or more\n")


def test_mint_makes_no_promise_that_is_not_kept(tmp_path: Path) -> None:
    """No token is good for longer than a day, so none says so."""
    keys.generate(tmp_path, 0)
    assert auth("mint", "--users", "1", "--seconds", "86400", key=tmp_path).returncode == 0
    done = auth("mint", "--users", "1", "--seconds", "86401", key=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "must be 86400 at most" in done.stderr


def test_mint_prints_a_token_for_each_user(tmp_path: Path) -> None:
    """One a line."""
    keys.generate(tmp_path, 0)
    done = auth("mint", "--users", "3", "--seconds", "1", key=tmp_path)
    assert done.returncode == 0
    assert len(done.stdout.split()) == 3
