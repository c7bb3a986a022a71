"""The stack that is observed, its users, and Prometheus."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from tests.support.identity_provider import IdentityProvider, serving
from tests.support.observed.use import Users, users
from tests.support.prometheus import Prometheus, prometheus
from tests.support.stacks import fresh

_GATEWAY = {
    # What is lifted for other tests: here limits are shown, and one is hit.
    **dict.fromkeys(("CONNECTIONS_MOST", "TYPINGS_PER_SECOND"), ""),
    "QUIET_CHECK_SECONDS": "1",
    "ROOM_LINGER_SECONDS": "1",
}
_AUTH = {"KEY_RELOAD_SECONDS": "0.5", "LOGIN_FAILURES_PER_ACCOUNT": "1"}


class World(msgspec.Struct):
    """All of it."""

    users: Users
    prometheus: Prometheus


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    """It runs while the block does; `folder` is for what the stack is told."""
    company = IdentityProvider("https://company.example.com")
    async with serving(company):
        trusted = {"issuer": company.name, "audience": "parley-chat", "user_prefix": "co-", "jwks_url": company.url}
        file = folder / "issuers.json"
        file.write_text(json.dumps([{**trusted, "algorithms": ["EdDSA"]}]))
        own = {"gateway-1": _GATEWAY, "gateway-2": _GATEWAY, "auth": {**_AUTH, "TRUSTED_ISSUERS_FILE": str(file)}}
        async with fresh(own_environ=own) as stack, prometheus(stack) as seen, users(stack, company) as there:
            yield World(there, seen)
