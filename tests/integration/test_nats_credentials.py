"""A service whose NATS credentials are wrong says so, serves nobody, and never gives up in silence."""

import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deploy.local.ports import HOST, Ports
from deploy.local.process import Child
from deploy.local.stack import ROOT
from runtime import credentials
from tests.support.stacks import TestStack, is_ready_at, metric_at
from tests.support.waiting import until

REFUSED = "nats refuses who we are, trying on: see NATS_NKEY_FILE"
FORBIDDEN = "nats forbids it: is NATS_NKEY_FILE another service's, or nats-permissions.conf of another release?"


@asynccontextmanager
async def _service(stack: TestStack, service: str, seed: str) -> AsyncIterator[tuple[Child, str, list[str]]]:
    """One more of a service, who it is to NATS, its admin port, and what it says."""
    port, public = Ports.free().auth_admin, Ports.free().gateway_1
    environ = {**stack.environment(f"{service}-9"), "ADMIN_PORT": str(port), "PORT": str(public)}
    environ["NATS_NKEY_FILE"] = seed
    lines: list[str] = []
    command = [sys.executable, "-m", f"services.{service}"]
    child = Child(service, command, cwd=ROOT, environ=environ, sink=lambda _, line: lines.append(line))
    await child.start()
    try:
        yield child, f"http://{HOST}:{port}", lines
    finally:
        await child.kill()


@pytest.mark.parametrize("service", credentials.NATS_USERS[:3])
@pytest.mark.parametrize("which", ["none", "unknown"])
async def test_a_service_that_nats_does_not_know(stack: TestStack, tmp_path: Path, service: str, which: str) -> None:
    """Without a key, or with one that NATS was not told of: it says where to look, tries on, is not ready."""
    credentials.make(tmp_path)
    seed = "" if which == "none" else str(tmp_path / service / credentials.SEED)
    async with _service(stack, service, seed) as (child, admin, lines):

        async def tried_often() -> bool:
            if not await is_ready_at(admin, "/livez"):
                return False
            return await metric_at(admin, "parley_nats_errors_total", kind="AuthorizationViolation") >= 3

        await until(tried_often, "it to have tried several times")
        assert not await is_ready_at(admin)
        assert 1 <= len([line for line in lines if REFUSED in line]) < 3, "once in ten seconds"
        assert await child.stop() == 0


@pytest.mark.parametrize(("service", "mounted"), [("gateway", "auth"), ("auth", "gateway"), ("history", "admin")])
async def test_a_service_with_the_credentials_of_another(stack: TestStack, service: str, mounted: str) -> None:
    """It cannot even hear itself: it says so, and is never ready."""
    async with _service(stack, service, str(stack.secrets.seed(mounted))) as (child, admin, lines):
        await until(lambda: any(FORBIDDEN in line for line in lines), "it to say so")
        assert not await is_ready_at(admin)
        assert child.is_running


async def test_a_seed_that_others_may_read_stops_a_service(stack: TestStack, tmp_path: Path) -> None:
    """Exit code 1, and one line that says what to do."""
    credentials.make(tmp_path)
    seed = tmp_path / "gateway" / credentials.SEED
    seed.chmod(0o644)
    async with _service(stack, "gateway", str(seed)) as (child, _, _):
        said = f"gateway: NATS_NKEY_FILE: {seed} is open to others: chmod 600 it"
        assert await child.ended() == f"gateway ended with exit code 1: {said}"


async def test_the_stack_keeps_its_secrets_to_itself(stack: TestStack) -> None:
    """No seed in what its processes say or in their environments, and none that others may read."""
    seeds = [stack.secrets.seed(user) for user in credentials.NATS_USERS]
    assert {each.stat().st_mode & 0o077 for each in seeds} == {0}
    said = "\n".join([*stack.output, *(f"{stack.environment(name)}" for name in stack.children)])
    assert not [each for each in seeds if each.read_text().strip() in said]


async def test_a_seed_that_is_replaced(own_stack: TestStack) -> None:
    """The old one is good for nothing any more: who has it says so and is not ready, until it was started again."""
    stack, auth = own_stack, own_stack.children["auth"]
    stack.secrets.seed("auth").unlink()
    credentials.make(stack.secrets.folder)
    stack.secrets.write_config()
    stack.children["nats"].send_signal(signal.SIGHUP)
    await until(lambda: any(REFUSED in line for line in stack.output if line.startswith("auth ")), "auth to say so")
    assert not await stack.is_ready("auth")
    assert await auth.stop() == 0
    await auth.start()
    await stack.ready("auth", "gateway-1", "gateway-2", "history")
