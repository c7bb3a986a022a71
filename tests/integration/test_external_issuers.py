"""Tokens of other issuers than Parley connect to a gateway, as far as they are trusted."""

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest_asyncio
from aiohttp import web

from runtime.rpc import Caller
from services.auth.jwks_fetching import LARGEST
from tests.support.clients.parley import JsClient, ParleyClient, PythonClient
from tests.support.connecting import connect_answer
from tests.support.identity_provider import IdentityProvider, serving
from tests.support.stacks import TestStack, fresh
from tests.support.waiting import until
from wire import subjects
from wire.accounts import Verified, VerifyToken
from wire.errors import ParleyError


class World(msgspec.Struct):
    """A stack that trusts some identity providers."""

    stack: TestStack
    company: IdentityProvider
    """By its address, with RS256 and EdDSA."""
    partner: IdentityProvider
    """By a file."""
    flaky: IdentityProvider
    """By its address; nobody has a token of it that was ever verified."""


@pytest_asyncio.fixture(loop_scope="session")
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A stack of its own."""
    company, partner, flaky = (
        IdentityProvider(f"https://{each}.example.com") for each in ("company", "partner", "flaky")
    )
    partner.add_key("EdDSA")
    keys = tmp_path / "partner.json"
    keys.write_text(json.dumps({"keys": partner.published}))
    async with serving(company, flaky):
        trusted = [
            trust(company, user_prefix="co-", jwks_url=company.url, algorithms=["RS256", "EdDSA"]),
            trust(partner, user_prefix="pa-", jwks_file=str(keys), claims={"username": "login"}),
            trust(flaky, user_prefix="fl-", jwks_url=flaky.url),
        ]
        async with trusting(tmp_path, trusted) as stack:
            yield World(stack, company, partner, flaky)


@asynccontextmanager
async def trusting(folder: Path, trusted: list[dict[str, Any]]) -> AsyncIterator[TestStack]:
    """A stack that trusts these."""
    file = folder / "issuers.json"
    file.write_text(json.dumps(trusted))
    async with fresh(own_environ={"auth": {"TRUSTED_ISSUERS_FILE": str(file)}}) as stack:
        yield stack


def trust(provider: IdentityProvider, **more: Any) -> dict[str, Any]:
    """An entry of the file."""
    return {"issuer": provider.name, "audience": "parley-chat", **more}


async def answer(stack: TestStack, token: str) -> str:
    """The id of the user who is let in with `token`, or the code of the refusal."""
    told = await connect_answer(stack.gateway_urls[0], token)
    return str(told["user"]["id"] if "user" in told else told["code"])


async def test_their_users_talk_to_ours(world: World) -> None:
    """With RS256 and EdDSA, from an address and from a file, with the official clients, at any gateway."""
    rs, ed = world.company.add_key("RS256"), world.company.add_key("EdDSA")
    (partners,) = [each["kid"] for each in world.partner.published]
    first, second = world.stack.gateway_urls
    async with (
        PythonClient(first, world.company.token(rs, sub="ann")) as ann,
        JsClient(second, world.company.token(ed, sub="auth0|bob", name="Bob B.")) as bob,
        PythonClient(second, world.partner.token(partners, sub="cy", name="Cy", login="cy99")) as cy,
        PythonClient(first, await world.stack.token()) as ours,
    ):
        members: list[ParleyClient] = [ann, bob, cy, ours]
        users = [each.of("session")[0]["user"] for each in members]
        assert users[0] == {"id": "co-ann", "display_name": "Ann"}
        assert users[1]["id"].startswith("co-h-")
        assert users[2] == {"id": "pa-cy", "display_name": "Cy", "username": "cy99"}
        assert all(each.of("session")[0]["session"].startswith("x-") for each in members[:3])
        assert all(290 < each.of("session")[0]["expires_in"] <= 300 for each in members[:3])
        for each in members:
            await each.join("lobby")
        for number, each in enumerate(members):
            assert (await each.say("lobby", f"m{number}"))["ok"]
        await until(lambda: all(len(each.messages("lobby")) == 4 for each in members), "all messages")
        assert [each["from"]["id"] for each in ours.messages("lobby")] == [each["id"] for each in users]
    assert world.company.asked <= 2
    assert await world.stack.metric("auth", "parley_auth_jwks_fetches_total", result="ok") >= 2


async def test_what_is_not_trusted_is_refused(world: World) -> None:
    """Another audience, another issuer's key, a key that is not published, nobody's name: all `unauthorized`."""
    kid = world.company.add_key("RS256")
    secret = world.company.add_key("EdDSA")
    world.company.remove_key(secret)
    (partners,) = [each["kid"] for each in world.partner.published]
    for token in (
        world.company.token(kid, aud="another-app"),
        world.company.token(kid, iss="https://nobody.example.com"),
        world.company.token(kid, iss=world.partner.name),
        world.company.token(kid, iss="parley", sid="s-1", jti="1"),
        world.partner.token(partners, iss=world.company.name),
        world.company.token(secret),
    ):
        assert await answer(world.stack, token) == "unauthorized"
    assert await answer(world.stack, world.company.token(kid, exp=1)) == "expired"
    assert (await answer(world.stack, world.company.token(kid))).startswith("co-")


async def test_their_keys_are_rotated(world: World) -> None:
    """A token of a key that came a moment ago is good at once; strangers' kids do not make us ask again and again."""
    old = world.company.add_key("RS256")
    assert await answer(world.stack, world.company.token(old, sub="ann")) == "co-ann"
    new = world.company.add_key("EdDSA")
    assert await answer(world.stack, world.company.token(new, sub="ann")) == "co-ann"
    assert await answer(world.stack, world.company.token(old, sub="ann")) == "co-ann"
    asked = world.company.asked
    unpublished = world.company.add_key("EdDSA")
    world.company.remove_key(unpublished)
    for _ in range(10):
        assert await answer(world.stack, world.company.token(unpublished)) == "unauthorized"
    assert world.company.asked == asked


async def test_their_outage_is_not_ours(world: World) -> None:
    """Keys that are known go on; with none, tokens are `unavailable` until the provider answers. Logged once."""
    kid, unknown = world.company.add_key("RS256"), world.flaky.add_key("EdDSA")
    assert await answer(world.stack, world.company.token(kid, sub="ann")) == "co-ann"
    world.company.answer = world.flaky.answer = web.Response(status=503)
    assert await answer(world.stack, world.company.token(kid, sub="ann")) == "co-ann"
    for _ in range(5):
        assert await answer(world.stack, world.flaky.token(unknown)) == "unavailable"
    assert world.flaky.asked <= 2
    said = [line for line in world.stack.output if "keys of an issuer cannot be had" in line]
    assert len(said) == 1
    assert f"{world.flaky.url} answered 503" in said[0]
    world.flaky.answer = None

    async def is_let_in() -> bool:
        return await answer(world.stack, world.flaky.token(unknown, sub="ann")) == "fl-ann"

    await until(is_let_in, "the provider answers again", every=0.5)


async def test_one_that_hangs_holds_up_nobody(world: World) -> None:
    """Hundreds of its tokens at once are `unavailable`; all that are asked about later are verified meanwhile."""
    hanging, kid = world.flaky.add_key("EdDSA"), world.company.add_key("RS256")
    theirs, others, ours = world.flaky.token(hanging), world.company.token(kid, sub="ann"), await world.stack.token()
    async with world.stack.bus("gateway") as bus:
        verify = Caller(bus, subjects.AUTH_VERIFY, Verified, timeout=10)

        async def verified(token: str) -> str:
            try:
                return (await verify(VerifyToken(token=token))).user.id
            except ParleyError as error:
                return error.code

        assert await verified(others) == "co-ann"
        world.flaky.open.clear()
        waiting = [asyncio.create_task(verified(theirs)) for _ in range(300)]
        await until(lambda: world.flaky.asked == 1, "it is asked")
        assert await verified(others) == "co-ann"
        assert await verified(ours) == "load-1"
        assert not all(each.done() for each in waiting), "it was still being asked"
        assert set(await asyncio.gather(*waiting)) == {"unavailable"}
    assert world.flaky.asked == 1


async def test_bad_answers_are_no_keys(tmp_path: Path) -> None:
    """Too large, packed, somewhere else, or no key set: `unavailable`, one line, and everybody else is served."""
    good = IdentityProvider("good")
    good.add_key("EdDSA")
    bad = {
        f"it is larger than {LARGEST} bytes": web.Response(body=b"[" * (LARGEST + 1)),
        "what came is no key set": web.Response(
            body=gzip.compress(b" " * 50_000_000), headers={"Content-Encoding": "gzip"}
        ),
        "answered 302": web.Response(status=302, headers={"Location": "/0"}),
        "no key in it is good for EdDSA": web.json_response({"keys": [{"kty": "oct", "k": "AAAA"}]}),
    }
    providers = [IdentityProvider(f"bad-{number}") for number in range(len(bad))]
    for each, response in zip(providers, bad.values(), strict=True):
        each.answer = response
    async with serving(good, *providers):
        trusted = [trust(each, user_prefix=f"{each.name}-", jwks_url=each.url) for each in providers]
        async with trusting(tmp_path, trusted) as stack:
            for each, said in zip(providers, bad, strict=True):
                assert await answer(stack, each.token(each.add_key("EdDSA"))) == "unavailable"
                (line,) = [line for line in stack.output if "cannot be had" in line and f'"{each.name}"' in line]
                assert said in line
                assert each.asked == 1
            assert good.asked == 0, "no redirect was followed"
            assert await answer(stack, await stack.token()) == "load-1"


async def test_their_sessions_end_here(world: World) -> None:
    """Logging out with one token of a session closes its sockets and makes all its tokens bad, and no others."""
    kid = world.company.add_key("EdDSA")
    one, other = (world.company.token(kid, sid="7", jti=jti, exp=int(time.time()) + 80_000) for jti in "ab")
    elsewhere = world.company.token(kid, sid="8")
    async with (
        PythonClient(world.stack.gateway_urls[1], one) as ended,
        PythonClient(world.stack.gateway_urls[1], elsewhere) as unhurt,
        aiohttp.ClientSession(world.stack.gateway_urls[0], headers={"Authorization": f"Bearer {other}"}) as http,
    ):
        async with http.post("/api/logout") as response:
            assert response.status == 204
        await until(lambda: bool(ended.happened("disconnect")), "the socket is closed")
        assert await answer(world.stack, one) == "unauthorized"
        assert await answer(world.stack, other) == "unauthorized"
        assert (await answer(world.stack, elsewhere)).startswith("co-h-")
        assert (await unhurt.join("lobby"))["ok"]
