"""Keys of access tokens are rotated while everything runs."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import jwt
import pytest_asyncio

from deploy.local.stack import ROOT
from tests.support.clients.parley import PythonClient
from tests.support.connecting import connect_answer
from tests.support.stacks import TestStack, fresh
from tests.support.waiting import until

ACTIVATION_SECONDS = 4


@pytest_asyncio.fixture(loop_scope="session")
async def quick() -> AsyncIterator[TestStack]:
    """A stack whose keys sign when they are four seconds old."""
    environ = {"KEY_ACTIVATION_SECONDS": str(ACTIVATION_SECONDS), "KEY_RELOAD_SECONDS": "0.1"}
    async with fresh(environ=environ) as stack:
        yield stack


async def rotate(stack: TestStack) -> list[str]:
    """What the command prints."""
    command = [sys.executable, "-m", "services.auth", "rotate", "--dir", str(stack.signing_keys)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output.decode().splitlines()


async def published(stack: TestStack) -> set[str]:
    """The kids of the keys that the public port shows."""
    async with (
        aiohttp.ClientSession(stack.gateway_urls[0]) as http,
        http.get("/.well-known/jwks.json") as response,
    ):
        return {each["kid"] for each in (await response.json())["keys"]}


async def guest(stack: TestStack) -> tuple[str, str]:
    """A new token and the kid of the key that signed it."""
    async with (
        aiohttp.ClientSession(stack.gateway_urls[0]) as http,
        http.post("/api/guest", json={"display_name": "Bob"}) as response,
    ):
        token = (await response.json())["access_token"]
    return token, jwt.get_unverified_header(token)["kid"]


def made_at(file: Path) -> float:
    """When the key of a file was made."""
    return datetime.strptime(file.name, "%Y%m%dT%H%M%S.%fZ.pem").replace(tzinfo=UTC).timestamp()


def age(file: Path, seconds: float) -> None:
    """Let the key of a file have been made so much earlier."""
    made = made_at(file) - seconds
    file.rename(file.with_name(f"{datetime.fromtimestamp(made, UTC):%Y%m%dT%H%M%S.%fZ}.pem"))


async def test_rotation_disturbs_nobody(quick: TestStack) -> None:
    """Both keys verify, the new one signs once it is old enough, connections stay, and the old one goes at last."""
    old_token, old_kid = await guest(quick)
    assert await published(quick) == {old_kid}
    async with (
        PythonClient(quick.gateway_urls[0], old_token, transports=["websocket"]) as one,
        PythonClient(quick.gateway_urls[1], old_token, transports=["websocket"]) as two,
    ):
        await one.join("lobby")
        await two.join("lobby")
        pid = quick.children["auth"].pid

        made, kept = await rotate(quick)
        new_kid = made.rpartition(" ")[2]
        signs_from = made_at(max(quick.signing_keys.iterdir())) + ACTIVATION_SECONDS
        assert kept.endswith(f"kid {old_kid}")

        async def both_are_shown() -> bool:
            return await published(quick) == {old_kid, new_kid}

        await until(both_are_shown, "JWKS shows both keys")
        assert await quick.metric("auth", "parley_auth_keys") == 2

        async def new_signs() -> bool:
            kid = (await guest(quick))[1]
            assert kid == old_kid or time.time() >= signs_from, "those who verify may not know the new one yet"
            return kid == new_kid

        await until(new_signs, "the new key signs")
        assert await quick.metric("auth", "parley_auth_signing_key_age_seconds") < ACTIVATION_SECONDS + 30
        new_token, _ = await guest(quick)
        for url in quick.gateway_urls:
            assert "session" in await connect_answer(url, old_token)
            assert "session" in await connect_answer(url, new_token)

        for file in sorted(quick.signing_keys.iterdir()):
            age(file, 3 * 86_400)
        lines = await rotate(quick)
        assert [each.split()[0] for each in lines] == ["made", "removed", "kept"]
        newest_kid = lines[0].rpartition(" ")[2]

        async def old_is_gone() -> bool:
            return await published(quick) == {new_kid, newest_kid}

        await until(old_is_gone, "the old key is gone")
        assert (await connect_answer(quick.gateway_urls[0], old_token))["code"] == "unauthorized"
        assert "session" in await connect_answer(quick.gateway_urls[0], new_token)

        assert (await one.say("lobby", "m1"))["ok"]
        await until(lambda: len(two.messages("lobby")) == 1, "the message")
        assert not one.happened("disconnect") + two.happened("disconnect")
        assert quick.children["auth"].pid == pid


async def test_a_folder_that_turns_bad_is_no_outage(quick: TestStack) -> None:
    """Tokens are signed and verified as before; it is logged once, and counted each time."""
    (file,) = quick.signing_keys.iterdir()
    file.chmod(0o644)

    async def was_noticed() -> bool:
        return await quick.metric("auth", "parley_auth_key_reload_failures_total") >= 3

    await until(was_noticed, "the bad file is noticed")
    token, _ = await guest(quick)
    assert "session" in await connect_answer(quick.gateway_urls[1], token)
    said = [line for line in quick.output if "signing keys cannot be read" in line]
    assert len(said) == 1
    assert f"{file} is open to others" in said[0]
