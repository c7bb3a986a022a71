"""The pods of deploy/k8s, run from the rendered manifests: their environment, their probes, and people who chat."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from deploy.local.stack import ROOT
from runtime.credentials import MONGO_USERS, NATS_USERS
from tests.containers import kube
from tests.containers.images import podman
from tests.containers.kube import Cluster
from tests.support.clients.parley import JsClient, PythonClient
from tests.support.stacks import unique
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(300)

PODS = {
    "nats-0": ("StatefulSet", "nats"),
    "mongodb-0": ("StatefulSet", "mongodb"),
    "setup-0": ("Job", "setup"),
    "auth-0": ("Deployment", "auth"),
    "history-0": ("Deployment", "history"),
    "gateway-0": ("Deployment", "gateway"),
    "gateway-1": ("Deployment", "gateway"),
}
SERVING = [name for name in PODS if name != "setup-0"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cluster(missing_images: list[str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    """All pods, with secrets that were made as the README says; removed whatever happens."""
    assert len(missing_images) <= 1
    folder = tmp_path_factory.mktemp("kube")
    folder.chmod(0o755)
    made, keys = folder / "credentials", folder / "signing-keys"
    for command in (["runtime.credentials", made], ["services.auth", "rotate", "--dir", keys]):
        subprocess.run([sys.executable, "-m", *map(str, command)], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    secrets = {f"credentials-{user}": made / user for user in {*NATS_USERS, *MONGO_USERS, "mongo"}}
    started = Cluster(kube.rendered(), folder / "pods", secrets | {"signing-keys": keys, "nats-nkeys": made / "nats"})
    (folder / "pods").mkdir()
    try:
        for pod, (kind, workload) in PODS.items():
            await started.play(kind, workload, pod)
        yield started
    finally:
        await asyncio.to_thread(started.remove)


@pytest.mark.parametrize("pod", SERVING)
async def test_every_declared_probe_succeeds(cluster: Cluster, pod: str) -> None:
    """Startup, liveness and readiness, of all its containers, as the manifests declare them."""
    last: list[str] = []

    async def all_do() -> bool:
        last[:] = await asyncio.to_thread(cluster.failed_probes, *PODS[pod], pod)
        return not last

    try:
        await until(all_do, "its probes to succeed", seconds=90, every=0.5)
    except AssertionError:
        log = podman("logs", "--tail", "20", cluster.container(pod, PODS[pod][1]))
        pytest.fail(f"{last}\n{log}")


async def test_the_job_ends_well(cluster: Cluster) -> None:
    """`setup` has made streams and indexes."""

    async def has_ended() -> bool:
        state = await asyncio.to_thread(
            podman,
            "inspect",
            "--format",
            "{{.State.Status}} {{.State.ExitCode}}",
            cluster.container("setup-0", "setup"),
        )
        return state.strip() == "exited 0"

    await until(has_ended, "the job to end", seconds=60, every=0.5)


@pytest.mark.parametrize("pod", SERVING)
async def test_a_container_is_as_declared(cluster: Cluster, pod: str) -> None:
    """The ConfigMaps' environment, a read-only root, the declared user and limit of memory, and no capabilities."""
    spec = cluster.template(*PODS[pod])
    user = f"{spec['securityContext']['runAsUser']}:{spec['securityContext']['runAsGroup']}"
    for container in spec["containers"]:
        declared = cluster.declared_environment(container)
        assert declared.items() <= cluster.environment(pod, container["name"]).items()
        what = "{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.EffectiveCaps}} {{.HostConfig.Memory}}"
        found = podman("inspect", "--format", what, cluster.container(pod, container["name"])).strip()
        megabytes = int(container["resources"]["limits"]["memory"].removesuffix("Mi"))
        assert found == f"{user} true [] {megabytes << 20}"


async def test_people_chat_across_two_pods(cluster: Cluster) -> None:
    """JavaScript and Python, each at another gateway; what they said is in history."""
    first, second = (f"http://{cluster.address(pod)}:8080" for pod in ("gateway-0", "gateway-1"))
    room = unique("kube")
    tokens = []
    for url in (first, second):
        async with (
            aiohttp.ClientSession(url) as http,
            http.post("/api/guest", json={"display_name": "guest"}) as answer,
        ):
            assert answer.status == 201, await answer.text()
            tokens.append((await answer.json())["access_token"])
    async with (
        JsClient(first, tokens[0], transports=["websocket"]) as js,
        PythonClient(second, tokens[1], transports=["websocket"]) as python,
    ):
        assert [each.of("session")[0]["gateway"] for each in (js, python)] == ["gateway-0", "gateway-1"]
        await js.join(room)
        await python.join(room)
        acks = [await js.say(room, "from-js"), await python.say(room, "from-py")]
        for client in (js, python):
            await until(lambda c=client: len(c.messages(room)) == 2, "both messages")  # type: ignore[misc]
            assert [each["seq"] for each in client.messages(room)] == [ack["seq"] for ack in acks]
        page = await python.call("history", {"room": room})
        assert [each["id"] for each in page["messages"]] == ["from-js", "from-py"]
