"""The HTTP API of backends: saying something in a room, which users may do as well, and telling a user something."""

from http import HTTPStatus

import msgspec
from aiohttp import web
from msgspec import Raw

from services.gateway import bodies
from services.gateway.auth import Auth
from services.gateway.bearer import user_or_service
from services.gateway.posting import Posting
from services.gateway.requests import SendMessage
from wire.ids import Id
from wire.messages import JSON_ABSENT


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


class _Room(msgspec.Struct, frozen=True):
    room: Id


class BackendsApi:
    """One method per route."""

    def __init__(self, auth: Auth, posting: Posting, *, body_timeout: float) -> None:
        self._auth = auth
        self._posting = posting
        self._body_timeout = body_timeout

    def routes(self) -> list[web.RouteDef]:
        """The table of routes."""
        return [web.post("/api/rooms/{room}/messages", self._post)]

    async def _post(self, request: web.Request) -> web.Response:
        who = await user_or_service(request, self._auth, "publish")
        room = bodies.converted(request.match_info, _Room).room
        body = await bodies.read(request, MessageBody, timeout=self._body_timeout)
        sent = await self._posting.post(who, SendMessage(room=room, id=body.id, body=body.body, data=body.data))
        return bodies.answer(SentBody(sent.seq, sent.ts, sent.duplicate), HTTPStatus.CREATED)
