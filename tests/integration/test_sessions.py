"""Sessions over HTTP, from the sign-in to the end: on two gateways, through crashes, and without a database."""

import asyncio
import sys
from collections import Counter
from typing import Any, Final

import aiohttp
import pytest
from pymongo import AsyncMongoClient

from deploy.local.stack import ROOT
from runtime.rpc import Caller
from tests.support.clients.parley import PythonClient
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until
from wire import subjects
from wire.accounts import Login, Session, Verified, VerifyToken
from wire.errors import ErrorCode, ParleyError

PASSWORD, NEW = "correct horse", "battery staple"
FLOOD: Final = 300
HASHED_AT_ONCE: Final = 34
"""HASHING_THREADS and HASHING_QUEUE."""

Body = dict[str, Any]


async def ask(
    stack: TestStack, path: str, body: Body | None = None, *, token: str = "", gateway: int = 0
) -> tuple[int, Body]:
    """What a POST is answered."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{stack.gateway_urls[gateway]}{path}", json=body, headers=headers) as response,
    ):
        if response.status < 300 and response.status != 204:
            assert response.headers["Cache-Control"] == "no-store"
        return response.status, {} if response.status == 204 else await response.json()


async def guest(stack: TestStack) -> Body:
    """A session."""
    status, session = await ask(stack, "/api/guest", {"display_name": "Bob"})
    assert status == 201
    return session


async def register(stack: TestStack) -> tuple[Body, Body]:
    """An account, as it signs in, and its first session."""
    account = {"username": unique("ann"), "password": PASSWORD}
    status, session = await ask(stack, "/api/register", account)
    assert status == 201
    return account, session


async def refresh(stack: TestStack, session: Body, *, gateway: int = 1) -> tuple[int, Body]:
    """Going on, at the other gateway."""
    return await ask(stack, "/api/refresh", {"refresh_token": session["refresh_token"]}, gateway=gateway)


async def admits(stack: TestStack, session: Body, gateway: int) -> bool:
    """Whether a gateway takes the access token."""
    url = f"{stack.gateway_urls[gateway]}/api/rooms/{unique('room')}/messages"
    headers = {"Authorization": f"Bearer {session['access_token']}"}
    async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as response:
        assert response.status in {200, 401}, await response.text()
        return response.status == 200


async def is_out(stack: TestStack, session: Body) -> None:
    """Wait until no gateway takes the access token; none takes the refresh token, from the first moment on."""
    status, problem = await refresh(stack, session)
    assert (status, problem["code"], problem["detail"]) == (401, "unauthorized", "the refresh token is not valid")
    for gateway in range(2):

        async def refuses(gateway: int = gateway) -> bool:
            return not await admits(stack, session, gateway)

        await until(refuses, "the access token to be refused", seconds=2)


async def test_a_session_goes_on_at_any_gateway(stack: TestStack) -> None:
    """Refreshed at one, admitted by both; a token that has been used ends it all."""
    first = await guest(stack)
    status, second = await refresh(stack, first)
    assert status == 200
    assert second.keys() == first.keys() == {"user", "access_token", "expires_in", "refresh_token", "token_type"}
    assert second["user"] == first["user"]
    assert [await admits(stack, second, gateway) for gateway in range(2)] == [True, True]
    await is_out(stack, first)
    await is_out(stack, second)


async def test_of_many_refreshes_at_once_one_is_answered(stack: TestStack) -> None:
    """At both gateways: the others are the reuse that ends the session."""
    session = await guest(stack)
    answers = await asyncio.gather(*(refresh(stack, session, gateway=number % 2) for number in range(12)))
    assert Counter(status for status, _ in answers) == {200: 1, 401: 11}
    (winner,) = [body for status, body in answers if status == 200]
    await is_out(stack, winner)


@pytest.mark.parametrize("body", [{}, {"refresh_token": None}, {"refresh_token": {"$gt": ""}}, {"refresh_token": 7}])
async def test_a_refresh_without_a_token_is_a_bad_request(stack: TestStack, body: Body) -> None:
    """As any other body that is not what it should be."""
    status, problem = await ask(stack, "/api/refresh", body)
    assert (status, problem["code"]) == (400, "invalid")


async def test_logging_out(stack: TestStack) -> None:
    """Ends the session at every gateway, and no other one of the user; its token is none any more."""
    account, session = await register(stack)
    _, unhurt = await ask(stack, "/api/login", account)
    assert await ask(stack, "/api/logout", token=session["access_token"]) == (204, {})
    await is_out(stack, session)
    assert await admits(stack, unhurt, 0)
    status, problem = await ask(stack, "/api/logout", token=session["access_token"])
    assert (status, problem["code"]) == (401, "unauthorized")
    status, problem = await ask(stack, "/api/logout")
    assert (status, problem["code"]) == (401, "unauthorized")


async def test_another_password(stack: TestStack) -> None:
    """All sessions end, and the one that is answered is good at once, at both gateways."""
    account, session = await register(stack)
    wrong = {"password": NEW, "new_password": NEW}
    status, problem = await ask(stack, "/api/password", wrong, token=session["access_token"])
    assert (status, problem["code"]) == (403, "forbidden")
    right = {"password": PASSWORD, "new_password": NEW}
    status, new = await ask(stack, "/api/password", right, token=session["access_token"])
    assert (status, new["user"]) == (200, session["user"])
    await is_out(stack, session)
    assert [await admits(stack, new, gateway) for gateway in range(2)] == [True, True]
    assert (await ask(stack, "/api/login", account))[0] == 401
    assert (await ask(stack, "/api/login", {**account, "password": NEW}))[0] == 200
    status, problem = await ask(stack, "/api/password", right)
    assert (status, problem["code"]) == (401, "unauthorized")


async def service_token(stack: TestStack, scopes: str) -> str:
    """What an operator gives to a backend."""
    command = [
        sys.executable,
        "-m",
        "services.auth",
        "token",
        "create",
        "--name",
        unique("backend"),
        "--scopes",
        scopes,
    ]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=stack.environment("auth"), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output.decode().strip()


async def test_a_backend_disconnects_a_user(stack: TestStack) -> None:
    """All sessions of theirs, if its token has that scope; nobody else's token does that, not even their own."""
    account, session = await register(stack)
    _, another = await ask(stack, "/api/login", account)
    path = f"/api/users/{session['user']['id']}/disconnect"
    for token in (session["access_token"], await service_token(stack, "publish"), "x"):
        status, problem = await ask(stack, path, token=token)
        assert status in {401, 403}, problem
    assert await admits(stack, session, 0)
    url = f"{stack.gateway_urls[1]}{path}"
    headers = {"Authorization": f"Bearer {await service_token(stack, 'disconnect')}"}
    async with aiohttp.ClientSession() as http, http.post(url, headers=headers) as response:
        assert (response.status, await response.read()) == (202, b"")
    await is_out(stack, session)
    await is_out(stack, another)
    status, again = await ask(stack, "/api/login", account)
    assert status == 200
    assert await admits(stack, again, 0)


async def test_the_eleventh_failure(stack: TestStack) -> None:
    """Of an account or of a name that nobody has: told when to come again, also with the right password."""
    account, _ = await register(stack)
    for who in (account, {**account, "username": unique("nobody")}):
        for _ in range(10):
            status, problem = await ask(stack, "/api/login", {**who, "password": "wrong password"}, gateway=1)
            assert (status, problem["code"]) == (401, "unauthorized")
        status, problem = await ask(stack, "/api/login", who)
        assert (status, problem["code"]) == (429, "rate_limited")
        assert 0 < problem["retry_after"] <= 900
    assert await stack.metric("auth", "parley_auth_attempts_refused_total", limit="login_account") >= 2


async def test_a_flood_of_sign_ins_delays_no_token(stack: TestStack) -> None:
    """Tokens are verified, one after the other, while passwords wait; whoever is one too many is told, at once."""
    token = await stack.token()
    async with stack.bus("gateway") as bus:
        login = Caller(bus, subjects.AUTH_LOGIN, Session, timeout=60.0)
        verify = Caller(bus, subjects.AUTH_VERIFY, Verified, timeout=5.0)
        flood = [
            asyncio.ensure_future(login(Login(username=unique("nobody"), password=PASSWORD, address="")))
            for _ in range(FLOOD)
        ]
        await until(lambda: any(each.done() for each in flood), "the first of them to be answered")
        for _ in range(20):
            await verify(VerifyToken(token=token))
        waiting = [each for each in flood if not each.done()]
        assert waiting, "all passwords were looked at before twenty tokens were"
        results = await asyncio.gather(*flood, return_exceptions=True)
    codes = Counter(each.code for each in results if isinstance(each, ParleyError))
    assert codes.keys() == {ErrorCode.UNAUTHORIZED, ErrorCode.RATE_LIMITED}
    assert codes.total() == FLOOD
    assert codes[ErrorCode.UNAUTHORIZED] >= HASHED_AT_ONCE


async def test_what_became_of_sessions_is_counted(own_stack: TestStack) -> None:
    """Opened, gone on with, and ended, by what ended them."""
    stack = own_stack
    for _ in range(2):
        session = await guest(stack)
        await refresh(stack, session)
        await refresh(stack, session)
    await ask(stack, "/api/logout", token=(await guest(stack))["access_token"])
    account, _ = await register(stack)
    _, session = await ask(stack, "/api/login", account)
    change = {"password": PASSWORD, "new_password": NEW}
    assert (await ask(stack, "/api/password", change, token=session["access_token"]))[0] == 200

    async def counted(name: str, **labels: str) -> float:
        return await stack.metric("auth", f"parley_auth_sessions_{name}_total", **labels)

    assert await counted("opened") == 6
    assert await counted("refreshed") == 2
    ended = {reason: await counted("revoked", reason=reason) for reason in ("reuse", "logout", "password")}
    assert ended == {"reuse": 2, "logout": 1, "password": 2}
    for kind in ("access", "refresh"):
        assert await stack.metric("auth", "parley_auth_tokens_issued_total", kind=kind) == 8
    revocations = "parley_auth_revocation_duration_seconds_count"
    # Two tokens that were used again, a session that was left, and a password that ended two sessions at once.
    assert await stack.metric("auth", revocations, result="ok") == 4
    assert await stack.metric("auth", revocations, result="failed") == 0
    for kind in ("refresh", "logout", "password"):
        assert await stack.metric("auth", "parley_auth_requests_total", kind=kind) > 0


# --- when things fail -----------------------------------------------------------------------------------------------


async def test_auth_is_killed_in_the_middle(own_stack: TestStack) -> None:
    """What was begun goes on, and what has ended has ended, for an auth service that knows only what is stored."""
    stack = own_stack
    session, out, used = [await guest(stack) for _ in range(3)]
    await refresh(stack, used)
    assert (await ask(stack, "/api/logout", token=out["access_token"]))[0] == 204
    auth = stack.children["auth"]
    await auth.kill()
    status, problem = await refresh(stack, session)
    assert (status, problem["code"]) == (503, "unavailable")
    await auth.start()
    await stack.ready("auth")
    status, session = await refresh(stack, session)
    assert status == 200
    await is_out(stack, out)
    await is_out(stack, used)
    assert await admits(stack, session, 0)


async def test_auth_dies_before_it_could_tell(own_stack: TestStack) -> None:
    """A session that is ended in MongoDB alone, as a crash between the steps leaves it: asking again tells all."""
    stack = own_stack
    client: AsyncMongoClient[Body] = AsyncMongoClient(stack.mongo_url_of("root"))
    sessions = client["parley"]["sessions"]
    begun = [await guest(stack) for _ in range(2)]
    await sessions.update_many({}, {"$currentDate": {"revoked_at": True}})
    await client.close()
    assert [await admits(stack, each, 0) for each in begun] == [True, True]
    assert (await ask(stack, "/api/logout", token=begun[0]["access_token"]))[0] == 204
    assert (await refresh(stack, begun[1]))[0] == 401
    for each in begun:
        await is_out(stack, each)


async def test_without_mongodb(own_stack: TestStack) -> None:
    """Nobody comes in, goes on or ends, and is told so; who is in stays in; once it is back, asking again works."""
    stack = own_stack
    account, session = await register(stack)
    leaving = await guest(stack)
    mongo = stack.children["mongo"]
    async with PythonClient(stack.gateway_urls[0], session["access_token"]) as client:
        await mongo.kill()
        change = {"password": PASSWORD, "new_password": NEW}
        refusals = await asyncio.gather(
            refresh(stack, session),
            ask(stack, "/api/login", account),
            ask(stack, "/api/guest", {"display_name": "Bob"}),
            ask(stack, "/api/logout", token=leaving["access_token"]),
            ask(stack, "/api/password", change, token=session["access_token"]),
        )
        assert [(status, problem["code"]) for status, problem in refusals] == [(503, "unavailable")] * 5
        told = [line for line in stack.output if line.startswith("auth") and "does not answer" in line]
        assert told, "an operator is told why"
        assert len(told) < 5, "and not once for each request"
        async with PythonClient(stack.gateway_urls[1], session["access_token"]) as other:
            room = unique("room")
            await client.join(room)
            await other.join(room)
            assert (await other.say(room, "m-1"))["ok"]
        await mongo.start()
        await stack.ready("mongo")

        async def has_gone() -> bool:
            return (await ask(stack, "/api/logout", token=leaving["access_token"]))[0] == 204

        await until(has_gone, "auth to reach MongoDB again")
    await is_out(stack, leaving)
    assert (await refresh(stack, session))[0] == 200
