"""The whole system from docker-compose.yml. The tests run in their order: all leave it running, the last ends it."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from checker.ledger import Ledger
from deploy.compose import containers
from tests.containers import images
from tests.containers.crowd import Crowd
from tests.containers.system import PROJECT, System
from tests.support.clients.parley import JsClient, ParleyClient, PythonClient
from tests.support.stacks import unique
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(300)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def system(missing_images: list[str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """Up, and down again whatever happens."""
    started = System(tmp_path_factory.mktemp("compose"), missing_images)
    if containers.look("podman", PROJECT, checked=False):
        await started.down()  # what a run that was killed left
    try:
        await started.up()
        yield started
    finally:
        await started.down()


def _inspected(container: str, what: str) -> str:
    return images.podman("inspect", "--format", what, container).strip()


async def test_all_are_healthy_and_bounded(system: System) -> None:
    """`make up` has waited for that; two gateways; every limit of docker-compose.yml is in force."""
    assert "all containers are healthy" in system.output
    assert len(system.gateways()) == 2
    for each in system.gateways().values():
        limits = (
            "{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}} {{.HostConfig.NanoCpus}} {{.HostConfig.ReadonlyRootfs}}"
        )
        assert _inspected(each.id, limits) == f"{512 << 20} 100 1000000000 true"


@pytest.mark.parametrize("transports", [None, ["websocket"], ["polling"]], ids=["default", "websocket", "polling"])
async def test_official_clients_chat_across_gateways(system: System, transports: list[str] | None) -> None:
    """JavaScript on one gateway, by any transport, and Python on another hear each other, through the proxy."""
    room = unique("chat")
    options = {} if transports is None else {"transports": transports}
    async with contextlib.AsyncExitStack() as exits, JsClient(system.url, await system.guest(), **options) as js:
        here = js.of("session")[0]["gateway"]
        assert here in system.gateways()
        python: ParleyClient
        for _ in range(6):  # the proxy chooses whichever has fewer
            python = await exits.enter_async_context(
                PythonClient(system.url, await system.guest(), transports=["websocket"])
            )
            if python.of("session")[0]["gateway"] != here:
                break
        else:
            pytest.fail("the proxy leads everybody to one gateway")
        await js.join(room)
        await python.join(room)
        acks = [await js.say(room, "from-js", "héllo ✓"), await python.say(room, "from-py")]
        for client in (js, python):
            await until(lambda c=client: len(c.messages(room)) == 2, "both messages")  # type: ignore[misc]
            assert [each["seq"] for each in client.messages(room)] == [ack["seq"] for ack in acks]
        if transports is None:
            await until(lambda: js.transport == "websocket", "the upgrade from polling")


async def test_who_has_a_cookie_stays_with_its_gateway(system: System) -> None:
    """It comes with a polling session and nothing else, and names the gateway for every later request."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        async with http.get(f"{system.url}/.well-known/jwks.json") as answer:
            assert "Set-Cookie" not in answer.headers
        async with http.get(f"{system.url}/socket.io/?EIO=4&transport=polling") as answer:
            assert answer.status == 200
            cookie = answer.cookies["parley-gateway"]
            assert cookie["httponly"]
            sid = (await answer.text()).split('"sid":"')[1].split('"')[0]
        headers = {"Cookie": f"parley-gateway={cookie.value}"}
        async with http.post(
            f"{system.url}/socket.io/?EIO=4&transport=polling&sid={sid}", data="40{}", headers=headers
        ) as answer:
            assert answer.status == 200, await answer.text()
            assert "Set-Cookie" not in answer.headers


async def test_prometheus_sees_all_of_it(system: System) -> None:
    """Every target is up, each gateway is one, and every rule can be evaluated."""
    jobs = {"parley-gateway": 2, "parley-auth": 1, "parley-history": 1, "parley-nats": 1, "parley-proxy": 1}

    async def all_up() -> bool:
        targets = (await system.asked("/api/v1/targets", state="active"))["activeTargets"]
        healthy = [each["labels"]["job"] for each in targets if each["health"] == "up"]
        return len(targets) == len(healthy) and {job: healthy.count(job) for job in healthy} == jobs

    await until(all_up, "every target to be up", seconds=60, every=0.5)
    answered = await system.asked(
        "/api/v1/query", query="nats_up or gnatsd_varz_mem or haproxy_process_uptime_seconds"
    )
    assert {each["metric"]["job"] for each in answered["result"]} == {"parley-nats", "parley-proxy"}

    async def all_evaluated() -> bool:
        groups = (await system.asked("/api/v1/rules"))["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        assert not [rule["lastError"] for rule in rules if rule.get("lastError")]
        return bool(rules) and all(rule["health"] == "ok" for rule in rules)

    await until(all_evaluated, "every rule to be evaluated", seconds=60, every=0.5)


async def test_the_load_test_has_a_container_of_its_own(system: System) -> None:
    """Profile `loadtest`: it signs tokens with the system's keys, chats through the proxy, and judges."""
    await system.loadtest("--users", "6", "--seconds", "4", "--think", "1")
    assert "PASSED (exit code 0). Every acknowledged message reached every member exactly once" in system.output


async def test_a_killed_gateway_loses_nothing(system: System) -> None:
    """While people talk: nothing that was acknowledged is lost or doubled; the container comes back and serves."""
    ledger = Ledger()
    async with Crowd(system.port, [await system.guest() for _ in range(8)], ledger) as crowd:
        await crowd.speak(100)
        victim, *_ = system.gateways().values()
        pid = int(_inspected(victim.id, "{{.State.Pid}}"))
        os.kill(pid, signal.SIGKILL)
        await crowd.speak(300)
        # Its restart policy brings it back, and the proxy leads people there again.
        await until(lambda: not any(each.trouble for each in system.gateways().values()), "both gateways", seconds=60)
        assert _inspected(victim.id, "{{.State.Pid}}") != str(pid)
        await _somebody_gets_to(system, victim.id[:12])
        await crowd.speak(100)
        await crowd.settle(system.url, await system.guest())
        assert crowd.came_back, "nobody was on the gateway that was killed"
    assert crowd.verdict().holds, crowd.told()


async def test_a_third_gateway_takes_its_share(system: System) -> None:
    """`--scale gateway=3` while people talk: the others go on undisturbed, and new clients get to it."""
    ledger = Ledger()
    before = system.gateways()
    async with Crowd(system.port, [await system.guest() for _ in range(6)], ledger) as crowd:
        speaking = asyncio.create_task(crowd.speak(300))
        await system.up("--scale", "gateway=3")
        (new,) = system.gateways().keys() - before.keys()
        await _somebody_gets_to(system, new)
        await speaking
        await crowd.settle(system.url, await system.guest())
        assert not crowd.came_back, "somebody lost a connection"
    assert crowd.verdict().holds, crowd.told()


async def test_down_leaves_nothing(system: System) -> None:
    """No container, no network, no volume; a second `make down` finds nothing to do."""
    await system.down()
    for kind in ("network", "volume"):
        names = images.podman(kind, "ls", "--format", "{{.Name}}").split()
        assert not [each for each in names if each.startswith(PROJECT)]
    assert not images.podman("ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={PROJECT}")


async def _somebody_gets_to(system: System, gateway: str) -> None:
    """Fails if it takes too long. Always the same somebody: no address gets guests without end."""
    token = await system.guest()

    async def gets_there() -> bool:
        async with PythonClient(system.url, token, transports=["websocket"]) as client:
            return bool(client.of("session")[0]["gateway"] == gateway)

    await until(gets_there, f"a client on gateway {gateway}", seconds=30)
