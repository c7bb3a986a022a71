"""Who may use which room."""

from wire.errors import ErrorCode, ParleyError
from wire.ids import is_private_room


class Access:
    """Public rooms are everybody's. Groups and direct conversations have members; there are none yet."""

    def __init__(self, *, public_rooms: bool) -> None:
        self._public_rooms = public_rooms

    def check(self, room: str) -> None:
        """Raises `ParleyError` (forbidden); not being a member and not existing answer alike."""
        if is_private_room(room) or not self._public_rooms:
            raise ParleyError(ErrorCode.FORBIDDEN, "no such room, or you are not a member of it")
