"""The HTTP API."""

import asyncio
from http import HTTPStatus
from typing import Final, TypeVar

import msgspec
from aiohttp import hdrs, web

from runtime.rpc import Caller
from services.gateway import requests
from services.gateway.access import Access
from services.gateway.auth import Auth
from wire import accounts, codec, messages
from wire.accounts import GetKeys
from wire.errors import ErrorCode, ParleyError
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
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise ParleyError(ErrorCode.UNAUTHORIZED, "send Authorization: Bearer <access token>")
        bearer = await self._auth.bearer(token.strip())
        wanted = _convert({**request.query, "room": request.match_info["room"]}, requests.GetHistory)
        await self._access.check(bearer.user.id, wanted.room)
        page = await self._history(requests.page_request(wanted))
        return _json(PageBody(messages=page.messages, more=page.more), HTTPStatus.OK)

    async def _body(self, request: web.Request, kind: type[T]) -> T:
        try:
            async with asyncio.timeout(self._body_timeout):
                body = await request.read()
        except TimeoutError:
            raise web.HTTPRequestTimeout(reason=f"the body did not come within {self._body_timeout:g} s") from None
        except web.RequestPayloadError:
            raise ParleyError(ErrorCode.INVALID, "the body is not what its headers say") from None
        try:
            return codec.Decoder(kind).decode(body)
        except codec.WireError as error:
            raise ParleyError(ErrorCode.INVALID, str(error)) from None


def _convert(values: dict[str, str], kind: type[T]) -> T:
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ParleyError(ErrorCode.INVALID, str(error)) from None


def _address(request: web.Request) -> str:
    return request.remote or ""


def _session(session: accounts.Session, status: HTTPStatus) -> web.Response:
    body = SessionBody(user=session.user, access_token=session.access_token, expires_in=session.expires_in)
    response = _json(body, status)
    response.headers[hdrs.CACHE_CONTROL] = "no-store"
    return response


def _json(body: msgspec.Struct, status: HTTPStatus) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), content_type="application/json", status=status)
