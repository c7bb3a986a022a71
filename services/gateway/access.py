"""Who may use which room."""

from collections.abc import Awaitable, Callable
from typing import Final

from wire.errors import ErrorCode, ParleyError
from wire.ids import is_private_room
from wire.membership import NOT_A_MEMBER, CheckMember
from wire.messages import Done

CHECK_SECONDS: Final = 3.0
"""How long the auth service may take to say who is a member."""


class Access:
    """Public rooms are everybody's, which needs no question; of private ones `ask` asks the auth service."""

    def __init__(self, ask: Callable[[CheckMember], Awaitable[Done]], *, public_rooms: bool) -> None:
        self._ask = ask
        self._public_rooms = public_rooms

    def is_open(self, room: str) -> bool:
        """Whether `room` is everybody's; otherwise its members have to be asked for.

        Raises `ParleyError` (forbidden) for a public room where there are none.
        """
        if is_private_room(room):
            return False
        if not self._public_rooms:
            raise ParleyError(ErrorCode.FORBIDDEN, NOT_A_MEMBER)
        return True

    async def check(self, user: str | None, *rooms: str) -> None:
        """Return if `user` may use all of `rooms`, of which at most `ROOMS_AT_ONCE` are private: in one question.

        Without a user, who is a service then, they have to be there. Raises `ParleyError`: forbidden, where not being
        a member and not existing answer alike; unavailable.
        """
        private = [room for room in rooms if not self.is_open(room)]
        if private:
            await self._ask(CheckMember(user=user, rooms=private))
