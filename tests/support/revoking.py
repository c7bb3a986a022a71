"""Revocations and changes of members, published as the auth service does; and clients that stay away after them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import jwt

from services.auth.announcing import Announcer
from tests.support.clients.parley import PythonClient
from tests.support.proxy import Proxy
from tests.support.stacks import TestStack
from tests.support.waiting import until

_ROUNDS = 5


@asynccontextmanager
async def announcer(stack: TestStack) -> AsyncIterator[Announcer]:
    """The auth service's own, on a connection of the test's."""
    async with stack.bus("auth") as connection:
        yield Announcer(connection, token_seconds=600)


def session_of(token: str) -> tuple[str, str]:
    """The session and the user of an access token."""
    claims = jwt.decode(token, options={"verify_signature": False})
    return claims["sid"], claims["sub"]


async def rounds_of_reconnecting(stack: TestStack) -> None:
    """Return once a client whose connection breaks has come back so often that any other would have, too."""
    async with (
        Proxy(stack.ports.gateway_1) as proxy,
        PythonClient(f"http://127.0.0.1:{proxy.port}", await stack.token(), transports=["websocket"]) as witness,
    ):
        for number in range(1, _ROUNDS + 1):
            proxy.reset()
            await until(lambda number=number: len(witness.of("session")) == 1 + number, "the witness to be back")  # type: ignore[misc]
