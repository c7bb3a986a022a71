"""The HTTP API."""

from http import HTTPStatus
from typing import Final, TypeVar

import msgspec
from aiohttp import hdrs, web

from runtime.rpc import Caller
from services.gateway import bodies, requests
from services.gateway.access import Access
from services.gateway.auth import Auth
from services.gateway.bearer import bearer
from wire import accounts, messages
from wire.accounts import GetKeys
from wire.messages import Page, User

T = TypeVar("T", bound=msgspec.Struct)

_KEYS_FRESH_SECONDS: Final = 300


class GuestBody(msgspec.Struct, frozen=True):
    """`POST /api/guest`."""

    display_name: str


class RegisterBody(msgspec.Struct, frozen=True):
    """`POST /api/register`."""

    username: str
    password: str
    display_name: str | None = None


class LoginBody(msgspec.Struct, frozen=True):
    """`POST /api/login`."""

    username: str
    password: str


class SessionBody(msgspec.Struct, frozen=True):
    """What signing in returns."""

    user: User
    access_token: str
    expires_in: int
    token_type: str = "Bearer"  # noqa: S105 - the name of a scheme


class PageBody(msgspec.Struct, frozen=True):
    """What reading a room returns."""

    messages: list[messages.StoredMessage]
    more: bool


class Api:
    """One method per route."""

    def __init__(self, auth: Auth, access: Access, history: Caller[Page], *, body_timeout: float) -> None:
        self._auth = auth
        self._access = access
        self._history = history
        self._body_timeout = body_timeout

    def routes(self) -> list[web.RouteDef]:
        """The table of routes."""
        return [
            web.post("/api/guest", self._guest),
            web.post("/api/register", self._register),
            web.post("/api/login", self._login),
            web.get("/.well-known/jwks.json", self._keys),
            web.get("/api/rooms/{room}/messages", self._messages),
        ]

    async def _guest(self, request: web.Request) -> web.Response:
        body = await self._body(request, GuestBody)
        return _session(
            await self._auth.guest(accounts.Guest(display_name=body.display_name, address=_address(request))),
            HTTPStatus.CREATED,
        )

    async def _register(self, request: web.Request) -> web.Response:
        body = await self._body(request, RegisterBody)
        wanted = accounts.Register(
            username=body.username, password=body.password, display_name=body.display_name, address=_address(request)
        )
        return _session(await self._auth.register(wanted), HTTPStatus.CREATED)

    async def _login(self, request: web.Request) -> web.Response:
        body = await self._body(request, LoginBody)
        login = accounts.Login(username=body.username, password=body.password, address=_address(request))
        return _session(await self._auth.login(login), HTTPStatus.OK)

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

    async def _body(self, request: web.Request, kind: type[T]) -> T:
        return await bodies.read(request, kind, timeout=self._body_timeout)


def _address(request: web.Request) -> str:
    return request.remote or ""


def _session(session: accounts.Session, status: HTTPStatus) -> web.Response:
    body = SessionBody(user=session.user, access_token=session.access_token, expires_in=session.expires_in)
    response = bodies.answer(body, status)
    response.headers[hdrs.CACHE_CONTROL] = "no-store"
    return response
