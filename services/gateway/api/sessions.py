"""The HTTP API of sessions: letting people in, going on, and ending what was begun."""

from http import HTTPStatus
from typing import TypeVar

import msgspec
from aiohttp import hdrs, web

from services.gateway.api import bodies
from services.gateway.api.bearer import bearer, service
from services.gateway.api.paths import OfUser
from services.gateway.auth import Auth
from services.gateway.edge.addresses import Addresses
from services.gateway.edge.limits import Limits
from wire import accounts
from wire.messages import User

T = TypeVar("T", bound=msgspec.Struct)


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


class RefreshBody(msgspec.Struct, frozen=True):
    """`POST /api/refresh`."""

    refresh_token: str


class PasswordBody(msgspec.Struct, frozen=True):
    """`POST /api/password`."""

    password: str
    new_password: str


class SessionBody(msgspec.Struct, frozen=True):
    """What each of those returns."""

    user: User
    access_token: str
    expires_in: int
    refresh_token: str
    token_type: str = "Bearer"  # noqa: S105 - the name of a scheme


class SessionsApi:
    """One method per route."""

    def __init__(self, auth: Auth, limits: Limits) -> None:
        self._auth = auth
        self._body_timeout = limits.body_timeout
        self._address = Addresses(limits.trusted_proxies).of

    def routes(self) -> list[web.RouteDef]:
        """The table of routes."""
        return [
            web.post("/api/guest", self._guest),
            web.post("/api/register", self._register),
            web.post("/api/login", self._login),
            web.post("/api/refresh", self._refresh),
            web.post("/api/logout", self._logout),
            web.post("/api/password", self._password),
            web.post("/api/users/{user}/disconnect", self._disconnect),
        ]

    async def _guest(self, request: web.Request) -> web.Response:
        body = await self._body(request, GuestBody)
        wanted = accounts.Guest(display_name=body.display_name, address=self._address(request))
        return _session(await self._auth.guest(wanted), HTTPStatus.CREATED)

    async def _register(self, request: web.Request) -> web.Response:
        body = await self._body(request, RegisterBody)
        wanted = accounts.Register(
            username=body.username,
            password=body.password,
            display_name=body.display_name,
            address=self._address(request),
        )
        return _session(await self._auth.register(wanted), HTTPStatus.CREATED)

    async def _login(self, request: web.Request) -> web.Response:
        body = await self._body(request, LoginBody)
        login = accounts.Login(username=body.username, password=body.password, address=self._address(request))
        return _session(await self._auth.login(login), HTTPStatus.OK)

    async def _refresh(self, request: web.Request) -> web.Response:
        body = await self._body(request, RefreshBody)
        return _session(await self._auth.refresh(accounts.Refresh(body.refresh_token)), HTTPStatus.OK)

    async def _logout(self, request: web.Request) -> web.Response:
        who = await bearer(request, self._auth)
        ending = accounts.Logout(user=who.user.id, session=who.session, expires_at=who.expires_at)
        await self._auth.logout(ending)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def _password(self, request: web.Request) -> web.Response:
        who = await bearer(request, self._auth)
        body = await self._body(request, PasswordBody)
        change = accounts.ChangePassword(
            user=who.user.id, password=body.password, new_password=body.new_password, address=self._address(request)
        )
        return _session(await self._auth.password(change), HTTPStatus.OK)

    async def _disconnect(self, request: web.Request) -> web.Response:
        await service(request, self._auth, "disconnect")
        user = bodies.converted(request.match_info, OfUser).user
        await self._auth.disconnect(accounts.Disconnect(user))
        return web.Response(status=HTTPStatus.ACCEPTED)

    async def _body(self, request: web.Request, kind: type[T]) -> T:
        return await bodies.read(request, kind, timeout=self._body_timeout)


def _session(session: accounts.Session, status: HTTPStatus) -> web.Response:
    body = SessionBody(session.user, session.access_token, session.expires_in, session.refresh_token)
    response = bodies.answer(body, status)
    response.headers[hdrs.CACHE_CONTROL] = "no-store"
    return response
