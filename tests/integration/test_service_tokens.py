"""Service tokens: made, listed and revoked by command, and verified over NATS."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from runtime.bus import Bus
from runtime.rpc import Caller
from tests.support.backends import create, token
from tests.support.stacks import TestStack, fresh, unique
from wire import subjects
from wire.accounts import Scope, Service, VerifyService
from wire.errors import ErrorCode, ParleyError


@asynccontextmanager
async def asking(stack: TestStack) -> AsyncIterator["Asking"]:
    """A connection to NATS, as a gateway has one."""
    async with stack.bus("gateway") as connection:
        yield Asking(connection)


class Asking:
    """Asks the auth service."""

    def __init__(self, connection: Bus) -> None:
        self._verify = Caller(connection, subjects.AUTH_VERIFY_SERVICE, Service, timeout=10)

    async def __call__(self, bearer: str, scope: Scope) -> Service:
        """What it says of a token."""
        return await self._verify(VerifyService(token=bearer, scope=scope))

    async def code(self, bearer: str, scope: Scope) -> ErrorCode:
        """How it refuses a token."""
        with pytest.raises(ParleyError) as caught:
            await self(bearer, scope)
        return caught.value.code


async def test_a_token_is_good_for_its_scopes(stack: TestStack) -> None:
    """And is forbidden all others. The command prints the token, and nothing else."""
    name = unique("billing")
    bearer = await create(stack, name, "publish,notify")
    assert re.fullmatch(r"pst_[A-Za-z0-9_-]{43}", bearer)
    async with asking(stack) as ask:
        assert await ask(bearer, "publish") == await ask(bearer, "notify") == Service(name=name)
        assert await ask.code(bearer, "disconnect") == ErrorCode.FORBIDDEN


async def test_a_revoked_token_is_good_for_nothing(stack: TestStack) -> None:
    """From the moment the command has ended; its name is free then, and the old token stays revoked."""
    name = unique("billing")
    first = await create(stack, name, "publish")
    async with asking(stack) as ask:
        assert await ask(first, "publish") == Service(name=name)
        code, output, errors = await token(stack, "create", "--name", name, "--scopes", "publish")
        assert (code, output) == (1, "")
        assert errors == f"auth: there is a token of the name {name}: revoke it first\n"
        assert await token(stack, "revoke", "--name", name) == (0, f"revoked {name}\n", "")
        assert await ask.code(first, "publish") == ErrorCode.UNAUTHORIZED
        second = await create(stack, name, "notify")
        assert await ask(second, "notify") == Service(name=name)
        assert await ask.code(first, "publish") == ErrorCode.UNAUTHORIZED
    assert (await token(stack, "revoke", "--name", name))[0] == 0
    code, output, errors = await token(stack, "revoke", "--name", name)
    assert (code, output) == (1, "")
    assert errors == f"auth: there is no token of the name {name} that is not revoked\n"


async def test_of_one_name_one_token_is_made_at_once(stack: TestStack) -> None:
    """Of several commands at the same time one succeeds."""
    name = unique("billing")
    made = await asyncio.gather(*(token(stack, "create", "--name", name, "--scopes", "notify") for _ in range(4)))
    assert sorted(code or 0 for code, _, _ in made) == [0, 1, 1, 1]
    assert all(errors.startswith("auth: there is a token of the name") for code, _, errors in made if code)


async def test_the_list_shows_no_token(stack: TestStack) -> None:
    """Name, scopes, when it was made and when revoked; neither the token nor its hash, which nobody logs either."""
    revoked, living = unique("old"), unique("new")
    bearers = [await create(stack, revoked, "publish"), await create(stack, living, "notify,disconnect")]
    await token(stack, "revoke", "--name", revoked)
    code, output, errors = await token(stack, "list")
    assert (code, errors) == (0, "")
    rows = {row[0]: row[1:] for row in (line.split() for line in output.splitlines())}
    assert rows["NAME"] == ["SCOPES", "CREATED", "REVOKED"]
    instant = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    assert re.fullmatch(rf"publish {instant} {instant}", " ".join(rows[revoked]))
    assert re.fullmatch(rf"disconnect,notify {instant} -", " ".join(rows[living]))
    assert not [each for each in bearers if each[4:] in output + "\n".join(stack.output)]


@pytest.mark.parametrize(
    "bearer",
    [
        "",
        "pst_",
        "pst_" + "A" * 43,
        "pst_" + "A" * 42,
        "A" * 47,
        "pst_" + "é" * 43,
        "x" * 100_000,
        '{"$gt": ""}',
        "\x00",
    ],
    ids=lambda each: repr(each[:20]),
)
async def test_anything_else_is_unauthorized(stack: TestStack, bearer: str) -> None:
    """Garbage and tokens that nobody made are answered alike."""
    async with asking(stack) as ask:
        assert await ask.code(bearer, "publish") == ErrorCode.UNAUTHORIZED


async def test_an_access_token_is_no_service_token(stack: TestStack) -> None:
    """And the other way round."""
    async with asking(stack) as ask:
        assert await ask.code(await stack.token(), "publish") == ErrorCode.UNAUTHORIZED


async def test_without_the_database_nobody_knows() -> None:
    """`unavailable`, so that the backend tries again; garbage is told at once."""
    async with fresh() as stack, asking(stack) as ask:
        bearer = await create(stack, "billing", "publish")
        await stack.children["mongo"].kill()
        assert await ask.code(bearer, "publish") == ErrorCode.UNAVAILABLE
        assert await ask.code("garbage", "publish") == ErrorCode.UNAUTHORIZED


@pytest.mark.parametrize(
    "action", [("list",), ("revoke", "--name", "x"), ("create", "--name", "x", "--scopes", "notify")]
)
@pytest.mark.parametrize(
    ("user", "said"),
    [
        ("", "the database refuses this: MONGO_URL names no user, or one who may not do it"),
        ("auth:hunter2@", "the database refuses the login: the user in MONGO_URL, or the password, is wrong"),
        ("nobody:hunter2@", "the database refuses the login: the user in MONGO_URL, or the password, is wrong"),
    ],
)
async def test_the_commands_say_what_the_database_refused(
    stack: TestStack, action: tuple[str, ...], user: str, said: str
) -> None:
    """In one line, without the password."""
    url = stack.mongo_url.replace("://", f"://{user}")
    assert await token(stack, *action, MONGO_URL=url, MONGO_PASSWORD_FILE="") == (1, "", f"auth: {said}\n")
