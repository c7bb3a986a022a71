"""The benchmark, as `make bench` runs it, in small: what it counts is exact. How fast it was is nobody's business."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deploy.local.stack import ROOT
from loadtests.bench import relaying
from loadtests.bench.crowd import Crowd
from loadtests.bench.flow import Flow, Speakers, acknowledged
from loadtests.bench.parley import Parley
from loadtests.bench.targets import SOCKET_IO
from tests.support.stacks import TestStack

_TIMEOUT = 150
MEMBERS, MESSAGES = 12, 60


class OnTestStack(Parley):
    """Parley as a target, on the stack that tests share: nothing is started, pinned or ended."""

    def __init__(self, stack: TestStack, tokens: list[str]) -> None:
        self._stack = stack
        self._greetings = [b"40" + msgspec.json.encode({"token": each}) for each in tokens]


@pytest.fixture
async def target(stack: TestStack) -> OnTestStack:
    """With users of its own."""
    return OnTestStack(stack, [await stack.token() for _ in range(MEMBERS * 2)])


@pytest.mark.parametrize("in_flight", [1, 20])
async def test_every_delivery_is_counted_once(target: OnTestStack, in_flight: int) -> None:
    """Two rooms, members that read and members that only count: all have heard every message, and no other."""
    crowd = Crowd(target)
    await crowd.connect(MEMBERS, room_size=MEMBERS // 2)
    try:
        await crowd.join()
        speakers = Speakers(crowd.listen(2))
        said = await Flow(crowd.audiences, in_flight, speakers).run(seconds=60, most=MESSAGES)
        await acknowledged(speakers, MESSAGES)
        crowd.check()
        assert (said.messages, said.deliveries) == (MESSAGES, MESSAGES * MEMBERS // 2)
        assert speakers.acknowledged == MESSAGES
        assert {each.heard for each in crowd.members} == {MESSAGES // 2}
        assert [each.said for each in crowd.audiences] == [MESSAGES // 2] * 2
    finally:
        await crowd.drop()


async def test_gateways_that_are_one_system_pass_the_check(target: OnTestStack) -> None:
    """What is said on one is heard on the other."""
    assert target.request("any") == SOCKET_IO
    async with asyncio.timeout(30):
        await relaying.check(target)


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="the benchmark needs two cores")
def test_a_small_run_writes_all_figures(tmp_path: Path) -> None:
    """Exit code 0, a table, and a JSON file with every figure of the cases that were asked for."""
    out = tmp_path / "bench.json"
    sizes = ["--connections", "20,40", "--repeats", "1", "--seconds", "1", "--cases", "fanout,publish,connect"]
    command = [sys.executable, "-m", "loadtests.bench", *sizes, "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    content: dict[str, Any] = msgspec.json.decode(out.read_bytes())
    found = {(each["case"], each["connections"], each["figure"]) for each in content["summaries"]}
    for connections in (20, 40):
        assert ("fanout", connections, "CPU per delivery, 2 in flight, us") in found
        assert ("fanout", connections, "CPU per delivery, 20 in flight, us") in found
        assert ("publish", connections, "CPU per publish, us") in found
        assert ("connect", connections, "connects a second") in found
    assert all(each["summary"]["median"] > 0 for each in content["summaries"] if "beside" not in each["figure"])
    assert not any(each["failure"] for each in content["samples"])
    assert "fanout: CPU per delivery, 2 in flight, us" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["--cases", "nothing"],
        ["--connections", "0"],
        ["--connections", "20001"],
        ["--repeats", "x"],
        ["--seconds", "0"],
    ],
)
def test_what_cannot_be_run_ends_with_2(arguments: list[str]) -> None:
    """Bounded in connections, repeats and time."""
    command = [sys.executable, "-m", "loadtests.bench", *arguments]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, timeout=_TIMEOUT, check=False).returncode == 2
