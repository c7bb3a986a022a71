"""Messages that come over HTTP, from users and from backends: published as a client's are."""

import asyncio
from typing import Final

from services.gateway import metrics
from services.gateway.access import Access
from services.gateway.auth import Auth
from services.gateway.composing import composed
from services.gateway.publisher import Publisher
from services.gateway.replies import Sent
from services.gateway.requests import SendMessage
from wire.accounts import Service, Verified
from wire.errors import ErrorCode, ParleyError
from wire.messages import Author

_SHARE: Final = 4
"""Of so many messages that may be on their way, one may be a backend's: one that runs wild starves no client."""


class Posting:
    """`most` messages may be on their way from this gateway, whoever they are from."""

    def __init__(self, auth: Auth, access: Access, publisher: Publisher, *, most: int) -> None:
        self._auth = auth
        self._access = access
        self._publisher = publisher
        self._services_most = max(1, most // _SHARE)
        self._of_services = 0

    async def post(self, who: Verified | Service, request: SendMessage) -> Sent:
        """Say it as a user who is a member of the room, or as a backend in any room that is there.

        Returns once it is stored. Raises `ParleyError`: as `Publisher.publish`, and invalid, too_large, forbidden.
        """
        by, result = "service" if isinstance(who, Service) else "user", "gone"
        try:
            sent = await (self._as_service(who, request) if isinstance(who, Service) else self._as_user(who, request))
            result = "duplicate" if sent.duplicate else "ok"
        except ParleyError as error:
            result = error.code
            raise
        finally:
            metrics.posts[by, result] += 1
        return sent

    async def _as_user(self, bearer: Verified, request: SendMessage) -> Sent:
        user = bearer.user
        await self._access.check(user.id, request.room)
        self._auth.check(bearer)  # it may have been revoked meanwhile
        return await self._publish(Author(id=user.id, display_name=user.display_name), request, _Outcome())

    async def _as_service(self, service: Service, request: SendMessage) -> Sent:
        await self._access.check(None, request.room)
        if self._of_services >= self._services_most:
            raise ParleyError(
                ErrorCode.RATE_LIMITED, "too many messages of services wait to be stored", retry_after=1
            )
        return await self._publish(service.author, request, _CountedOutcome(self))

    async def _publish(self, author: Author, request: SendMessage, outcome: "_Outcome") -> Sent:
        self._publisher.publish(request.room, composed(author, request), outcome)
        return await outcome.told

    def count_service(self, more: int) -> None:
        """So many more messages of services are on their way."""
        self._of_services += more


class _Outcome:
    """Waits for what becomes of a message; see `publisher.Teller`. Whoever asked may have gone by then."""

    def __init__(self) -> None:
        self.told: Final[asyncio.Future[Sent]] = asyncio.get_running_loop().create_future()

    def began(self) -> None:
        """Nothing waits for it."""

    def ended(self) -> None:
        """Nor for its end."""

    def done(self, reply: Sent) -> None:
        """It is stored."""
        if not self.told.done():
            self.told.set_result(reply)

    def failed(self, error: ParleyError) -> None:
        """It is not, or nobody knows."""
        if not self.told.done():
            self.told.set_exception(error)


class _CountedOutcome(_Outcome):
    """Of a backend's message: on its way until the stream has answered, also when its backend has gone."""

    def __init__(self, posting: Posting) -> None:
        super().__init__()
        self._posting = posting

    def began(self) -> None:
        """One more."""
        self._posting.count_service(1)

    def ended(self) -> None:
        """One less."""
        self._posting.count_service(-1)
