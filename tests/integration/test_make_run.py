"""`make run`, as a newcomer, an operator and an accident meet it."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from deploy.local.ports import HOST, Ports
from deploy.local.process import StackError
from deploy.local.stack import ROOT, Stack
from tests.support.clients.parley import PythonClient
from tests.support.supervised import READY, supervised
from tests.support.waiting import until


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a stack that was started once, and has ended well."""
    data = tmp_path_factory.mktemp("ended") / "data"
    await _works(data)
    return data


@pytest.fixture
def data(ended: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    copy = tmp_path / "data"
    shutil.copytree(ended, copy)
    return copy


def _nowhere(_name: str, _line: str) -> None:
    """Drop the output."""


def _none_left(children: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(children, timeout=10)
    return not alive


@contextmanager
def _listening(port: int) -> Iterator[None]:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((HOST, port))
        taken.listen()
        yield


async def test_it_says_what_listens_where_and_ends_cleanly(tmp_path: Path) -> None:
    """A table, exit code 0 on either signal, no process left; and what was said is there after the next start."""
    data, said = tmp_path / "data", list[str]()
    for number in (signal.SIGINT, signal.SIGTERM):
        async with supervised(data=data) as run:
            await run.until(READY)
            await run.until("Ctrl-C")
            table = "\n".join(run.lines)
            assert f"http://{HOST}:{run.ports.gateway_1}" in table
            assert f"http://{HOST}:{run.ports.gateway_2}" in table
            assert f"http://{HOST}:{run.ports.auth_admin}/readyz" in table
            async with PythonClient(f"http://{HOST}:{run.ports.gateway_1}", _token(data)) as client:
                await client.join("lobby")
                assert await _kept(client) == said
                said.append(number.name)
                assert (await client.say("lobby", said[-1]))["ok"]
            children = run.children()
            assert len(children) == 6
            run.process.send_signal(number)
            assert await run.ended() == 0
            assert _none_left(children)
    async with (
        Stack(data, Ports.free(), sink=_nowhere) as stack,
        PythonClient(stack.gateway_urls[1], _token(data)) as client,
    ):
        await client.join("lobby")
        assert await _kept(client) == said


async def _kept(client: PythonClient) -> list[str]:
    return [each["id"] for each in (await client.call("history", {"room": "lobby"}))["messages"]]


def _token(data: Path) -> str:
    command = [sys.executable, "-m", "services.auth", "mint", "--users", "1"]
    environ = {**os.environ, "SIGNING_KEYS_DIR": str(data / "signing-keys")}
    return subprocess.run(command, cwd=ROOT, env=environ, check=True, capture_output=True, text=True).stdout.strip()


async def test_a_taken_port_is_named(tmp_path: Path) -> None:
    """One clear line, exit code 1, nothing started."""
    async with supervised(data=tmp_path / "data") as run:
        with _listening(run.ports.gateway_2):
            assert await run.ended() == 1
    assert run.lines == [f"parley: port {run.ports.gateway_2} (gateway-2) is taken"]


async def test_a_crashed_service_ends_it_all(data: Path) -> None:
    """Kill -9 of history: one clear line as the last, exit code 1, no process left."""
    async with supervised(data=data) as run:
        await run.until(READY)
        children = run.children()
        history = next(each for each in children if "services.history" in each.cmdline())
        history.kill()
        assert await run.ended() == 1
        assert _none_left(children)
    assert any(line.startswith("parley: history was killed by signal 9") for line in run.lines)


async def test_a_killed_supervisor_leaves_nothing_behind(data: Path) -> None:
    """Even kill -9 of the supervisor itself."""
    if sys.platform != "linux":
        pytest.skip("only Linux ends children with their parent")
    async with supervised(data=data) as run:
        await run.until(READY)
        children = run.children()
        run.process.kill()
        await run.process.wait()
        assert _none_left(children)


async def test_it_uses_real_servers_when_told_to(data: Path, tmp_path: Path) -> None:
    """NATS_URL and MONGO_URL: neither is started, both are used, with the secrets in CREDENTIALS_DIR."""
    async with supervised(data=data) as servers:
        await servers.until(READY)
        nats = f"nats://{HOST}:{servers.ports.nats}"
        mongo = f"mongodb://{HOST}:{servers.ports.mongo}/?directConnection=true"
        secrets = str(data / "credentials")
        async with supervised(
            data=tmp_path / "other", NATS_URL=nats, MONGO_URL=mongo, CREDENTIALS_DIR=secrets
        ) as run:
            await run.until(READY)
            commands = [" ".join(each.cmdline()) for each in run.children()]
            assert len(commands) == 4
            assert all("services." in each for each in commands)
            run.process.send_signal(signal.SIGTERM)
            assert await run.ended() == 0


async def test_a_database_that_refuses_to_write_is_not_ready(data: Path) -> None:
    """It listens and answers, but cannot keep anything: one line that names the folder, and exit code 1."""
    database = data / "mongo"
    (database / "secantus_indexes.wt").unlink()
    async with supervised(data=data) as run:
        assert await run.ended() == 1
        assert run.lines[-1] == f"parley: mongo refuses to write: its database is damaged; remove {database}"
        assert not [line for line in run.lines if READY in line]
    shutil.rmtree(database)
    async with Stack(data, Ports.free(), sink=_nowhere):
        pass


async def test_a_database_that_does_not_even_start_is_named(data: Path) -> None:
    """The other way in which a start that was cut short shows."""
    database = data / "mongo"
    (database / "secantus_oplog_meta.wt").unlink()
    with pytest.raises(StackError, match=f"if its database is damaged: remove {database}"):
        await Stack(data, Ports.free(), sink=_nowhere).__aenter__()


async def test_a_first_start_that_is_cut_short_does_no_harm(tmp_path: Path) -> None:
    """Stopped while the database is being made, which has no signal handler yet: it is let finish, and works."""
    folders = [tmp_path / f"data-{number}" for number in range(3)]
    for data in folders:
        stack = Stack(data, Ports.free(), sink=_nowhere)
        starting = asyncio.create_task(stack.__aenter__())
        await until((data / "mongo" / "WiredTiger").exists, "the database being made")
        mongo = stack.children["mongo"]
        mongo.send_signal(signal.SIGSTOP)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert await mongo.ended() == "mongo ended with exit code 0"
    await asyncio.gather(*map(_works, folders))


async def _works(data: Path) -> None:
    async with Stack(data, Ports.free(), sink=_nowhere):
        pass


async def test_data_belongs_to_one_stack_at_a_time(data: Path) -> None:
    """A second stack, on other ports, would write to the same files: one line, exit code 1, the first goes on."""
    async with Stack(data, Ports.free(), sink=_nowhere) as first:
        async with supervised(data=data) as second:
            assert await second.ended() == 1
            assert second.lines == [f"parley: DATA_DIR {data} is in use by another stack"]
        assert all(each.is_running for each in first.children.values())
    async with supervised(data=data) as run:
        await run.until(READY)
        run.process.kill()
        await run.ended()
    async with Stack(data, Ports.free(), sink=_nowhere):
        pass  # what was killed holds nothing


@pytest.mark.parametrize("inside", ["", "below/further"])
async def test_data_that_cannot_be_kept_is_a_clear_error(tmp_path: Path, inside: str) -> None:
    """DATA_DIR is a file, or below one: one line, exit code 1."""
    file = tmp_path / "file"
    file.touch()
    async with supervised(data=file / inside) as run:
        assert await run.ended() == 1
    assert len(run.lines) == 1
    assert run.lines[0].startswith(f"parley: DATA_DIR {file / inside} cannot be used: ")


async def test_a_program_that_may_not_run_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a disk that is mounted noexec: what the system refuses is told in one line."""
    (tmp_path / "signing-keys").mkdir()
    for name in ("nats-server", "secantusd-py", "signing-keys/20261128T061602Z.pem"):
        (tmp_path / name).touch(mode=0o600)
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(StackError, match=f"^mongo: {tmp_path}/secantusd-py: Permission denied$"):
        await Stack(tmp_path, Ports.free(), sink=_nowhere).__aenter__()


def test_a_missing_tool_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without nats-server says so."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(StackError, match="nats-server is not installed"):
        Stack(tmp_path, Ports.free(), sink=lambda _name, _line: None)
