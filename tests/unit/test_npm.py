"""npm: who installs in the same folder at the same time waits, and finds it done."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from web import npm

_NPM = """#!/bin/sh
mkdir node_modules || exit 1
sleep 0.2
echo installed >> log
"""
"""Fails if another has begun."""


def test_two_do_not_install_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It empties the folder when it begins: what runs on it meanwhile would lose its packages."""
    program, folder = tmp_path / "bin" / "npm", tmp_path / "folder"
    program.parent.mkdir()
    folder.mkdir()
    program.write_text(_NPM)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (folder / "package-lock.json").write_text("{}")
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    with ThreadPoolExecutor(4) as pool:
        for each in [pool.submit(npm.install, folder) for _ in range(4)]:
            each.result()
    assert (folder / "log").read_text() == "installed\n"
