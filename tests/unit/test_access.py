"""Who may use which room."""

import pytest
from hypothesis import given, settings

from services.gateway.access import Access
from tests.unit.test_ids import good_ids
from wire.errors import ErrorCode, ParleyError
from wire.ids import is_private_room


def refusal(access: Access, room: str) -> tuple[ErrorCode, str]:
    """How `room` is refused."""
    with pytest.raises(ParleyError) as caught:
        access.check(room)
    return caught.value.code, caught.value.message


@settings(deadline=None)
@given(good_ids)
def test_public_rooms_are_everybodys(room: str) -> None:
    """A room whose id is not a group's or a direct conversation's is open; those two are not."""
    access = Access(public_rooms=True)
    if is_private_room(room):
        assert refusal(access, room)[0] == ErrorCode.FORBIDDEN
    else:
        access.check(room)


@settings(deadline=None)
@given(good_ids)
def test_public_rooms_can_be_switched_off(room: str) -> None:
    """Then no room is open to somebody who is not its member."""
    assert refusal(Access(public_rooms=False), room)[0] == ErrorCode.FORBIDDEN


def test_rooms_that_do_not_exist_answer_like_foreign_ones() -> None:
    """The answer is word for word the same, and repeats nothing: ids cannot be tried out."""
    assert refusal(Access(public_rooms=True), "g-1") == refusal(Access(public_rooms=False), "no-such-room")
    assert "g-1" not in refusal(Access(public_rooms=True), "g-1")[1]
