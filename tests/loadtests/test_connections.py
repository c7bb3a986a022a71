"""Many connections, held while gateways and holders are lost, and in steps: all are accounted for."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import psutil
import pytest
import pytest_asyncio

from deploy.local import haproxy
from deploy.local.ports import HOST, is_taken, spare
from deploy.local.process import Child
from loadtests import kinds
from loadtests.report.results import Results
from tests.support.certificates import Authority
from tests.support.holding import CONNECTIONS, HAPROXY, begun, held
from tests.support.load_runs import balanced, ended, given, good, says, shown
from tests.support.stacks import TestStack
from tests.support.waiting import until

pytestmark = HAPROXY


class Edge:
    """Four gateways behind HAProxy, and what a run is told of them."""

    def __init__(self, stack: TestStack, proxies: haproxy.Proxies, tokens: Path) -> None:
        self.stack = stack
        self.tokens = tokens
        self.arguments = given([proxies.url], tokens, metrics=stack.metrics_urls)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def edge(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edge]:
    """A deployment that the test may disturb."""
    folder = tmp_path_factory.mktemp("edge")
    stack = TestStack(folder / "stack", gateways=4)
    servers = [haproxy.Server(each.port, each.admin_port) for each in stack.gateways]
    async with stack, haproxy.Proxies(servers, CONNECTIONS, folder=folder, sink=stack._keep) as proxies:
        tokens = folder / "tokens"
        tokens.write_text("\n".join(await stack.mint(CONNECTIONS)))
        yield Edge(stack, proxies, tokens)


async def test_a_gateway_that_is_killed_loses_nothing(edge: Edge, tmp_path: Path) -> None:
    """Whom it had are dropped, come back by themselves, to any gateway, and resume; nothing is lost, nor twice."""
    process = await begun(tmp_path, "--seconds", "8", *edge.arguments)
    await says(process, " hold | ", seconds=120)
    had = await edge.stack.metric("gateway-2", "parley_gateway_connections")
    await edge.stack.start_anew("gateway-2")
    disturbed = await ended(process, tmp_path)
    good(disturbed)
    results = disturbed.results
    assert had > 0
    drops = sum(each.drops for each in results.parts)
    assert drops == results.counts.cut_off == disturbed.figures(kinds.RECONNECT).count == had
    assert disturbed.figures(kinds.RESUME).count == had
    assert sum(results.greeted.values()) == CONNECTIONS + had


async def test_a_deployment_may_want_tls(edge: Edge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a certificate of an authority that this machine trusts; connections come from an address of our choice."""
    authority = Authority(tmp_path, "authority")
    certificate = b"".join(each.read_bytes() for each in authority.sign("edge", HOST))
    (tmp_path / "edge.pem").write_bytes(certificate)
    port, metrics_port = spare(2, authority)
    servers = [haproxy.Server(each.port, each.admin_port) for each in edge.stack.gateways]
    text = haproxy.configuration(servers, port, metrics_port)
    file = tmp_path / "haproxy.cfg"
    file.write_text(text.replace(f"bind {HOST}:{port}", f"bind {HOST}:{port} ssl crt {tmp_path / 'edge.pem'}"))
    command = [haproxy.program(), "-db", "-f", str(file)]
    proxy = Child("haproxy", command, cwd=tmp_path, environ={}, sink=edge.stack._keep)
    await proxy.start()
    try:
        await until(lambda: is_taken(port), "the proxy to listen")
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        told = [*given([f"https://{HOST}:{port}"], edge.tokens), "--source", "127.0.0.9"]
        secured = await held(tmp_path / "report", "--seconds", "4", *told)
    finally:
        await proxy.stop()
    good(secured)
    assert sum(secured.results.greeted.values()) == CONNECTIONS


async def test_a_load_goes_up_step_by_step(edge: Edge, tmp_path: Path) -> None:
    """The highest step that held is told; two holders share the load."""
    steps = ["--shape", "step", "--steps", "2", "--step-seconds", "4", "--skipped-seconds", "1", "--processes", "2"]
    stepped = await held(tmp_path, *steps, *edge.arguments)
    good(stepped)
    measured = [each.name for each in stepped.results.parts if each.measured]
    assert measured == ["step 1: 50/s", "step 2: 62.5/s"]
    highest = stepped.results.highest
    assert highest is not None
    assert highest.part == "step 2: 62.5/s"
    assert highest.messages_per_second == pytest.approx(62.5, rel=0.1)
    assert highest.deliveries_per_second == pytest.approx(625, rel=0.1)
    assert [each.name for each in stepped.results.generators] == ["holder-1", "holder-2"]


async def test_steps_end_with_the_first_objective_that_is_not_kept(edge: Edge, tmp_path: Path) -> None:
    """Here the first step breaks one that nothing can keep: there is no second, and the run did not pass."""
    slo = tmp_path / "slo.yaml"
    slo.write_text("requests:\n  message: {p50_ms: 0.001}\n")
    steps = ["--shape", "step", "--steps", "5", "--step-seconds", "3", "--skipped-seconds", "1"]
    broken = await held(tmp_path, *steps, "--slo", str(slo), *edge.arguments)
    assert broken.code == 1, shown(broken)
    assert [each.name for each in broken.results.parts if each.measured] == ["step 1: 50/s"]
    assert any("did not hold: message p50" in text for _, text in broken.results.moments)
    balanced(broken.results)


async def test_a_lost_holder_makes_a_run_invalid(edge: Edge, tmp_path: Path) -> None:
    """What it knew is lost with it: that says nothing about the system, and what the other knows is judged."""
    process = await begun(tmp_path, "--seconds", "60", "--processes", "2", *edge.arguments)
    await says(process, " hold | ", seconds=120)
    holders = [
        each for each in psutil.Process(process.pid).children() if "loadtests.connections.holder" in each.cmdline()
    ]
    assert len(holders) == 2
    holders[0].kill()
    lost = await ended(process, tmp_path)
    assert lost.code == 3, shown(lost)
    assert any(each.startswith("holder-") and "was lost" in each for each in lost.results.invalid)
    assert lost.results.counts.lost == 0
    await until(lambda: not any(each.is_running() for each in holders), "all holders to be gone")


async def test_a_run_that_is_told_to_end_judges_what_there_is(edge: Edge, tmp_path: Path) -> None:
    """In order: nothing is cut off, and nothing is left running."""
    process = await begun(tmp_path, "--seconds", "600", *edge.arguments)
    await says(process, " hold | ", seconds=120)
    family = psutil.Process(process.pid).children(recursive=True)
    assert family
    process.send_signal(signal.SIGTERM)
    told = await ended(process, tmp_path)
    assert told.code in {0, 3}, shown(told)  # so short a run may have nothing measured
    counts = _results(tmp_path).counts
    assert (counts.lost, counts.duplicates, counts.cut_off, counts.stays) == (0, 0, 0, CONNECTIONS)
    assert "the run was ended before its time" in _results(tmp_path).warnings
    await until(lambda: not any(each.is_running() for each in family), "all of it to be gone")


def _results(folder: Path) -> Results:
    return msgspec.json.decode((folder / "run.json").read_bytes(), type=Results)
