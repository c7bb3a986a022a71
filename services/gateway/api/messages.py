"""The HTTP API of what was said, and of the keys by which tokens are verified."""

from http import HTTPStatus
from typing import Final

import msgspec
from aiohttp import hdrs, web

from runtime.rpc import Caller
from services.gateway import requests
from services.gateway.access import Access
from services.gateway.api import bodies
from services.gateway.api.bearer import bearer
from services.gateway.auth import Auth
from wire import messages
from wire.accounts import GetKeys
from wire.messages import Page

_KEYS_FRESH_SECONDS: Final = 300


class PageBody(msgspec.Struct, frozen=True):
    """What reading a room returns."""

    messages: list[messages.StoredMessage]
    more: bool


class Api:
    """One method per route."""

    def __init__(self, auth: Auth, access: Access, history: Caller[Page]) -> None:
        self._auth = auth
        self._access = access
        self._history = history

    def routes(self) -> list[web.RouteDef]:
        """The table of routes."""
        return [
            web.get("/.well-known/jwks.json", self._keys),
            web.get("/api/rooms/{room}/messages", self._messages),
        ]

    async def _keys(self, _request: web.Request) -> web.Response:
        keys = await self._auth.keys(GetKeys())
        body = msgspec.json.encode({"keys": keys.keys})
        headers = {hdrs.CACHE_CONTROL: f"public, max-age={_KEYS_FRESH_SECONDS}"}
        return web.Response(body=body, content_type="application/jwk-set+json", headers=headers)

    async def _messages(self, request: web.Request) -> web.Response:
        who = await bearer(request, self._auth)
        wanted = bodies.converted({**request.query, "room": request.match_info["room"]}, requests.GetHistory)
        await self._access.check(who.user.id, wanted.room)
        page = await self._history(requests.page_request(wanted))
        return bodies.answer(PageBody(messages=page.messages, more=page.more), HTTPStatus.OK)
