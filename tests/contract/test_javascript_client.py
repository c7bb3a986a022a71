"""The driver of the official JavaScript client, where the library alone would do what members must not."""

import pytest

from deploy.local.ports import HOST, Ports
from tests.support.clients.javascript import JavaScriptClient
from tests.support.clients.official import NotConnectedError


class _Forgetful(JavaScriptClient):
    keeps_questions = False


async def test_what_is_asked_without_a_connection_is_lost() -> None:
    """At once, and not kept for the next connection, if a client says so."""
    async with _Forgetful(f"http://{HOST}:{Ports.free().gateway_1}") as client:
        with pytest.raises(NotConnectedError):
            await client.ask("join", {"room": "r"})
