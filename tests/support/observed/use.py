"""Use and misuse: what people, backends and strangers do, once a round."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp
import msgspec

from tests.support.backends import Backend, backend
from tests.support.clients.parley import PythonClient
from tests.support.connecting import connect_answer
from tests.support.identity_provider import IdentityProvider
from tests.support.members import two_members
from tests.support.people import Person, guest
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until

_PASSWORD: Final = "a very long password"
_TYPINGS: Final = 60
"""More than may be sent at once."""


class Users(msgspec.Struct):
    """Whoever uses a stack: two members who stay, a person with a phone, a backend, and users of another issuer."""

    stack: TestStack
    room: str
    one: PythonClient
    two: PythonClient
    ann: Person
    phone: PythonClient
    shop: Backend
    company: IdentityProvider
    kid: str
    ids: itertools.count  # type: ignore[type-arg] # msgspec takes no parameters here

    async def round(self) -> None:
        """All of it once."""
        await self._talk()
        await self._come_and_go()
        await self._notify()
        await self._account()
        await self._group()
        await self._misuse()

    def id(self) -> str:
        """One that was not used yet."""
        return f"m-{next(self.ids)}"

    async def _talk(self) -> None:
        for _ in range(20):
            assert (await self.one.say(self.room, self.id()))["ok"]
        last = f"m-{next(self.ids)}"
        seq = (await self.two.say(self.room, last))["seq"]
        assert (await self.two.say(self.room, last))["duplicate"]
        room = {"room": self.room}
        for event, more in (
            ("typing", {"active": True}),
            ("event", {"name": "cursor", "data": 1}),
            ("presence", {}),
            ("history", {"limit": 10}),
            ("read", {"seq": seq}),
        ):
            assert (await self.one.call(event, {**room, **more}))["ok"], event
        assert (await self.shop.say(self.room, self.id())).status == 201
        said = {"id": self.id(), "body": "by HTTP"}
        assert (await self.ann.ask("POST", f"/api/rooms/{self.room}/messages", said)).status == 201
        assert (await self.ann.ask("GET", "/api/rooms")).status == 200

    async def _come_and_go(self) -> None:
        since = (await self.one.say(self.room, self.id()))["seq"]
        assert (await self.two.call("leave", {"room": self.room}))["ok"]
        for _ in range(3):
            await self.one.say(self.room, self.id())
        assert (await self.two.join(self.room, after=since))["missed"] == 3
        first = self.stack.gateway_urls[0]
        async with PythonClient(first, self.company.token(self.kid), transports=["polling"]) as guest_of_company:
            await guest_of_company.join(self.room)

    async def _notify(self) -> None:
        id = self.id()
        path = f"/api/users/{self.ann.id}/notifications"
        assert (await self.shop.post(path, {"id": id, "title": "Hi"})).status == 202
        assert (await self.phone.call("dismiss", {"id": id}))["ok"]

    async def _account(self) -> None:
        account = {"username": unique("user"), "password": _PASSWORD}
        async with aiohttp.ClientSession(self.stack.gateway_urls[0]) as http:

            async def post(path: str, body: dict[str, Any], token: str = "") -> dict[str, Any]:
                headers = {"Authorization": f"Bearer {token}"} if token else {}
                async with http.post(f"/api/{path}", json=body, headers=headers) as answer:
                    said: dict[str, Any] = await answer.json() if answer.content_length else {}
                    return said

            session = await post("register", account)
            for _ in range(3):
                await post("login", {**account, "password": "wrong password"})
            session = await post("refresh", {"refresh_token": session["refresh_token"]})
            async with PythonClient(self.stack.gateway_urls[1], session["access_token"]) as client:
                await post("logout", {}, session["access_token"])
                await until(lambda: not client.socket.connected, "whoever has signed out to be closed")
            async with http.get("/.well-known/jwks.json") as answer:
                assert answer.status == 200

    async def _group(self) -> None:
        bob = await guest(self.stack)
        room = await self.ann.group(bob)
        async with PythonClient(self.stack.gateway_urls[1], bob.token) as client:
            await client.join(room)
            await self.ann.remove(room, bob)

    async def _misuse(self) -> None:
        first = self.stack.gateway_urls[0]
        for token in ("nobody's", ""):
            assert (await connect_answer(first, token))["code"] == "unauthorized"
        assert (await self.one.call("nonsense", {}))["error"]["code"] == "invalid"
        assert (await self.one.say("elsewhere", "m"))["error"]["code"] == "not_joined"
        for _ in range(_TYPINGS):
            await self.phone.call("typing", {"room": self.room, "active": True})
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(f"{first}/socket.io/?EIO=4&transport=websocket") as ws,
        ):
            await ws.send_str("x")
            await ws.receive(timeout=5)


@asynccontextmanager
async def users(stack: TestStack, company: IdentityProvider) -> AsyncIterator[Users]:
    """They are there while the block runs."""
    room, ann, shop = unique("observed"), await guest(stack), await backend(stack, "notify,publish")
    async with two_members(stack, room) as (one, two), PythonClient(stack.gateway_urls[0], ann.token) as phone:
        await phone.join(room)
        yield Users(stack, room, one, two, ann, phone, shop, company, company.add_key("EdDSA"), itertools.count())
