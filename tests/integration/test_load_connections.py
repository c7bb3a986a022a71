"""Many connections, held as operators hold them: all are accounted for, whatever becomes of gateways and holders."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import psutil
import pytest
import pytest_asyncio

from checker.judge import Kind
from deploy.local import haproxy
from deploy.local.ports import HOST, is_taken, spare
from deploy.local.process import Child, StackError
from loadtests import kinds
from loadtests.connections.run import main
from loadtests.facts import Facts
from loadtests.report.results import Results
from tests.support.certificates import Authority
from tests.support.load_runs import ANY_SPEED, Ended, balanced, ended, given, good, shown, started
from tests.support.stacks import TestStack
from tests.support.waiting import until

MODULE = "loadtests.connections"
CONNECTIONS = 300
FOUR = {f"gateway-{number}" for number in range(1, 5)}


class Edge:
    """Four gateways behind HAProxy, and what a run is told of them."""

    def __init__(self, stack: TestStack, proxies: haproxy.Proxies, tokens: Path) -> None:
        self.stack = stack
        self.tokens = tokens
        self.arguments = given([proxies.url], tokens)
        for url in stack.metrics_urls:
            self.arguments += ["--metrics", url]


@pytest.fixture(autouse=True, scope="module")
def _haproxy() -> None:
    try:
        haproxy.program()
    except StackError as error:
        pytest.skip(f"{error}: holding connections is NOT tested")


@pytest.fixture(scope="module")
async def run(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """A short run, on a stack of its own."""
    return await _held(tmp_path_factory.mktemp("held") / "report", "--seconds", "5")


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


async def _begun(folder: Path, *arguments: str) -> asyncio.subprocess.Process:
    sizes = ["--connections", str(CONNECTIONS), "--rate", "50", "--connect-rate", "150", *ANY_SPEED]
    return await started(*sizes, "--out", str(folder), *arguments, module=MODULE)


async def _held(folder: Path, *arguments: str) -> Ended:
    return await ended(await _begun(folder, *arguments), folder)


async def _comes_to(process: asyncio.subprocess.Process, phase: str) -> None:
    assert process.stdout is not None
    seen: list[str] = []
    async with asyncio.timeout(120):
        while line := (await process.stdout.readline()).decode():
            seen.append(line)
            if f" {phase} | " in line:
                return
    raise AssertionError("".join(seen))


async def test_connections_are_held_through_all_gateways_and_every_account_is_balanced(run: Ended) -> None:
    """As many as were asked for, and as many messages: each to all ten members of its room."""
    good(run)
    results = run.results
    assert set(results.greeted) == FOUR
    assert sum(results.greeted.values()) == results.counts.stays == CONNECTIONS
    assert results.counts.expected == 10 * results.counts.acknowledged
    hold = next(each for each in results.parts if each.name == "hold")
    assert (hold.connected, hold.drops) == (CONNECTIONS, 0)
    assert hold.end - hold.begin == pytest.approx(5, abs=0.01)
    # Open loop: what is due is sent, whatever the machine is like.
    assert results.counts.sent == pytest.approx(5 * 50, abs=50 * 0.5)
    assert run.figures(kinds.DELIVERY).count == pytest.approx(10 * run.figures(kinds.MESSAGE).count, rel=0.05)
    assert {each.name for each in results.gateways} == FOUR
    assert {"haproxy-1", "nats", "mongo"} <= {each.name for each in results.beside}
    assert [each.name for each in results.generators] == ["holder-1"]


async def test_a_planted_loss_is_seen(run: Ended, tmp_path: Path) -> None:
    """One delivery of thousands is taken out of what was written down: the run is judged otherwise."""
    facts = Facts.read(run.folder / "facts.msgpack")
    for name in ("known.json", "run.json"):
        (tmp_path / name).write_bytes((run.folder / name).read_bytes())
    stay = next(each for each in facts.account.stays if len(each.received) > 2)
    places = list(stay.received)
    stay.received = places[:1] + places[2:]
    facts.write(tmp_path / "facts.msgpack")
    judged = await ended(await started(str(tmp_path), module="loadtests.verdict"), tmp_path)
    assert judged.code == 1
    assert Kind.LOST_MIDDLE in judged.output


async def test_a_gateway_that_is_killed_loses_nothing(edge: Edge, tmp_path: Path) -> None:
    """Whom it had are dropped, come back by themselves, to any gateway, and resume; nothing is lost, nor twice."""
    process = await _begun(tmp_path, "--seconds", "8", *edge.arguments)
    await _comes_to(process, "hold")
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
        secured = await _held(tmp_path / "report", "--seconds", "4", *told)
    finally:
        await proxy.stop()
    good(secured)
    assert sum(secured.results.greeted.values()) == CONNECTIONS


async def test_a_load_goes_up_step_by_step(edge: Edge, tmp_path: Path) -> None:
    """The highest step that held is told; two holders share the load."""
    steps = ["--shape", "step", "--steps", "2", "--step-seconds", "4", "--skipped-seconds", "1", "--processes", "2"]
    stepped = await _held(tmp_path, *steps, *edge.arguments)
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
    broken = await _held(tmp_path, *steps, "--slo", str(slo), *edge.arguments)
    assert broken.code == 1, shown(broken)
    assert [each.name for each in broken.results.parts if each.measured] == ["step 1: 50/s"]
    assert any("did not hold: message p50" in text for _, text in broken.results.moments)
    balanced(broken.results)


async def test_a_lost_holder_makes_a_run_invalid(edge: Edge, tmp_path: Path) -> None:
    """What it knew is lost with it: that says nothing about the system, and what the other knows is judged."""
    process = await _begun(tmp_path, "--seconds", "60", "--processes", "2", *edge.arguments)
    await _comes_to(process, "hold")
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
    process = await _begun(tmp_path, "--seconds", "600", *edge.arguments)
    await _comes_to(process, "hold")
    family = psutil.Process(process.pid).children(recursive=True)
    assert family
    process.send_signal(signal.SIGTERM)
    told = await ended(process, tmp_path)
    assert told.code in {0, 3}, shown(told)  # so short a run may have nothing measured
    counts = _results(tmp_path).counts
    assert (counts.lost, counts.duplicates, counts.cut_off, counts.stays) == (0, 0, 0, CONNECTIONS)
    assert "the run was ended before its time" in _results(tmp_path).warnings
    await until(lambda: not any(each.is_running() for each in family), "all of it to be gone")


def test_without_haproxy_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """And does nothing."""
    monkeypatch.setattr(haproxy, "_WHERE", str(tmp_path))
    assert main(["--connections", "10", "--out", str(tmp_path / "report")]) == 2
    assert "apt-get install haproxy" in capsys.readouterr().err
    assert not (tmp_path / "report").exists()


def _results(folder: Path) -> Results:
    return msgspec.json.decode((folder / "run.json").read_bytes(), type=Results)
