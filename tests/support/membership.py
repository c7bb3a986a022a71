"""What stands for the auth service's answers about private rooms, in tests of parts of a gateway."""

from wire.errors import ErrorCode, ParleyError
from wire.membership import NOT_A_MEMBER, CheckMember
from wire.messages import Done


class Membership:
    """Whoever is among the members of each room is one; `asked` keeps all questions."""

    def __init__(self, **members: set[str]) -> None:
        self.members = members
        self.asked: list[CheckMember] = []

    async def __call__(self, question: CheckMember) -> Done:
        """See `rooms.check`."""
        self.asked.append(question)
        if all(self._has(room, question.user) for room in question.rooms):
            return Done()
        raise ParleyError(ErrorCode.FORBIDDEN, NOT_A_MEMBER)

    def _has(self, room: str, user: str | None) -> bool:
        members = self.members.get(room, set())
        return bool(members) if user is None else user in members
