"""The HTTP API of backends: saying something in a room, which users may do as well, and telling a user something."""

import secrets
import time
from http import HTTPStatus

import msgspec
from aiohttp import web
from msgspec import Raw

from services.gateway.api import bodies
from services.gateway.api.bearer import service, user_or_service
from services.gateway.api.paths import OfRoom, OfUser
from services.gateway.auth import Auth
from services.gateway.notifying import Notifying
from services.gateway.posting import Posting
from services.gateway.requests import SendMessage
from wire.ids import Id
from wire.messages import JSON_ABSENT
from wire.notifications import Notification


class MessageBody(msgspec.Struct, frozen=True):
    """`POST /api/rooms/{room}/messages`."""

    id: Id
    body: str
    data: Raw = JSON_ABSENT


class SentBody(msgspec.Struct, frozen=True):
    """What that returns. `duplicate`: it was stored before, and these are its seq and ts."""

    seq: int
    ts: int
    duplicate: bool


class NotificationBody(msgspec.Struct, frozen=True):
    """`POST /api/users/{user}/notifications`. Without an `id` one is made."""

    title: str
    body: str | None = None
    data: Raw = JSON_ABSENT
    id: Id | None = None


class NotifiedBody(msgspec.Struct, frozen=True):
    """What that returns. `duplicate`: it was kept before, and may have been read since; `ts` is that one's."""

    id: str
    ts: int
    duplicate: bool


class BackendsApi:
    """One method per route."""

    def __init__(self, auth: Auth, posting: Posting, notifying: Notifying, *, body_timeout: float) -> None:
        self._auth = auth
        self._posting = posting
        self._notifying = notifying
        self._body_timeout = body_timeout

    def routes(self) -> list[web.RouteDef]:
        """The table of routes."""
        return [
            web.post("/api/rooms/{room}/messages", self._post),
            web.post("/api/users/{user}/notifications", self._notify),
        ]

    async def _post(self, request: web.Request) -> web.Response:
        who = await user_or_service(request, self._auth, "publish")
        room = bodies.converted(request.match_info, OfRoom).room
        body = await bodies.read(request, MessageBody, timeout=self._body_timeout)
        sent = await self._posting.post(who, SendMessage(room=room, id=body.id, body=body.body, data=body.data))
        return bodies.answer(SentBody(sent.seq, sent.ts, sent.duplicate), HTTPStatus.CREATED)

    async def _notify(self, request: web.Request) -> web.Response:
        await service(request, self._auth, "notify")
        user = bodies.converted(request.match_info, OfUser).user
        body = await bodies.read(request, NotificationBody, timeout=self._body_timeout)
        notification = Notification(
            id=body.id or f"n-{secrets.token_hex(16)}",
            title=body.title,
            ts=time.time_ns() // 1_000_000,
            body=body.body,
            data=body.data,
        )
        notified = await self._notifying.notify(user, notification)
        answer = NotifiedBody(notification.id, notified.ts, notified.duplicate)
        return bodies.answer(answer, HTTPStatus.ACCEPTED)
