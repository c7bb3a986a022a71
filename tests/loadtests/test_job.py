"""The load test as containers run it: beside compose's system, and in the pods of a Job."""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Mapping
from pathlib import Path

import pytest

from deploy.local.ports import HOST
from deploy.local.stack import ROOT
from tests.support.load_runs import ANY_SPEED, Ended, good
from tests.support.stacks import TestStack
from tests.support.waiting import until

LOAD = ("--users", "8", "--seconds", "4", "--rooms", "2", "--think", "1", "--mix", "chat=1", *ANY_SPEED)


def _port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


async def _started(module: str, *arguments: str, environ: Mapping[str, str]) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments),
        cwd=ROOT,
        env={**os.environ, "NO_PROXY": HOST, "no_proxy": HOST, **environ},
        stdout=PIPE,
        stderr=STDOUT,
    )


async def _killed(*processes: Process) -> None:
    for each in processes:
        if each.returncode is None:
            each.kill()
            await each.wait()


async def test_pods_of_a_job_make_one_run(stack: TestStack, tmp_path: Path) -> None:
    """Pod 0 leads, two others play the users; its log ends with the summary, and it stays until that was fetched."""
    results, tokens, lead = tmp_path / "results", tmp_path / "tokens", f"{HOST}:{_port()}"
    tokens.write_text("\n".join([await stack.token() for _ in range(20)]))
    command = ["loadtests", "--url", stack.gateway_urls[0], "--tokens", str(tokens), "--expect-workers", "2", *LOAD]
    environ = {"LISTEN": lead, "LEAD": lead, "RESULTS": str(results), "KEEP_SECONDS": "100"}
    pods = [
        await _started("loadtests.job", *command, environ={**environ, "JOB_COMPLETION_INDEX": str(index)})
        for index in range(3)
    ]
    said = [asyncio.create_task(each.communicate()) for each in pods]
    try:
        await until((results / "report.html").exists, "there is a report", seconds=100)
        assert pods[0].returncode is None
        (results / "fetched").touch()
        texts = [(await each)[0].decode() for each in said]
    finally:
        await _killed(*pods)
    good(Ended(pods[0].returncode or 0, "\n".join(texts), results))
    assert [each.returncode for each in pods[1:]] == [0, 0], "\n".join(texts)
    summary = (results / "summary.md").read_text()
    assert summary in texts[0]
    assert summary not in texts[1] + texts[2]


async def test_a_pod_that_is_told_to_go_goes(stack: TestStack, tmp_path: Path) -> None:
    """SIGTERM while it keeps the report: it ends with the run's own exit code."""
    results, tokens = tmp_path / "results", tmp_path / "tokens"
    tokens.write_text("\n".join([await stack.token() for _ in range(20)]))
    command = ["loadtests", "--url", stack.gateway_urls[0], "--tokens", str(tokens), *LOAD]
    pod = await _started("loadtests.job", *command, environ={"RESULTS": str(results), "KEEP_SECONDS": "100"})
    try:
        assert pod.stdout is not None
        lines = []
        async with asyncio.timeout(100):
            while line := (await pod.stdout.readline()).decode():
                lines.append(line)
                if line.startswith("loadtests: the report is in"):
                    pod.terminate()
        code = await pod.wait()
    finally:
        await _killed(pod)
    good(Ended(code, "".join(lines), results))
    assert lines[-1].startswith("loadtests: the report is in")


async def test_the_container_signs_tokens_itself(stack: TestStack, tmp_path: Path) -> None:
    """With the keys of the system beside it; the report tells what the gateways used."""
    environ = {
        **stack.environment("auth"),
        "PARLEY_URL": stack.gateway_urls[0],
        "PARLEY_METRICS": stack.metrics_urls[0],
    }
    run = await _started("loadtests.container", *LOAD, "--out", str(tmp_path), environ=environ)
    try:
        said, _ = await asyncio.wait_for(run.communicate(), 100)
    finally:
        await _killed(run)
    ran = Ended(run.returncode or 0, said.decode(), tmp_path)
    good(ran)
    assert ran.results.gateways


@pytest.mark.parametrize(
    ("arguments", "environ", "message"),
    [
        ((), {"RESULTS": "/tmp"}, "no module is none of loadtests, loadtests.connections"),  # noqa: S108
        (("loadtests",), {}, "RESULTS is not set"),
        (("loadtests",), {"RESULTS": "/tmp", "JOB_COMPLETION_INDEX": "1"}, "LEAD is not set"),  # noqa: S108
        (("loadtests",), {"RESULTS": "/tmp", "KEEP_SECONDS": "long"}, "KEEP_SECONDS: could not convert"),  # noqa: S108
        (("json.tool",), {"RESULTS": "/tmp"}, "json.tool is none of loadtests, loadtests.connections"),  # noqa: S108
    ],
)
async def test_what_a_pod_lacks_is_said(arguments: tuple[str, ...], environ: dict[str, str], message: str) -> None:
    """In one line, with exit code 2."""
    pod = await _started("loadtests.job", *arguments, environ=environ)
    said, _ = await asyncio.wait_for(pod.communicate(), 60)
    assert pod.returncode == 2
    assert message in said.decode()
