"""Who may use which room."""

import pytest
from hypothesis import given, settings

from services.gateway.access import Access
from tests.support.membership import Membership
from tests.unit.test_ids import good_ids
from wire.errors import ErrorCode, ParleyError
from wire.ids import is_private_room
from wire.membership import CheckMember


async def _refusal(access: Access, *rooms: str) -> tuple[ErrorCode, str]:
    """How `rooms` are refused to Ann."""
    with pytest.raises(ParleyError) as caught:
        await access.check("u-ann", *rooms)
    return caught.value.code, caught.value.message


@settings(deadline=None)
@given(good_ids)
async def test_public_rooms_are_everybodys(room: str) -> None:
    """A room whose id is not a group's or a direct conversation's is open without a question; those two are not."""
    members = Membership()
    access = Access(members, public_rooms=True)
    assert access.is_open(room) is not is_private_room(room)
    if is_private_room(room):
        assert (await _refusal(access, room))[0] == ErrorCode.FORBIDDEN
    else:
        await access.check("u-ann", room)
        assert not members.asked


@settings(deadline=None)
@given(good_ids)
async def test_public_rooms_can_be_switched_off(room: str) -> None:
    """Then no room is open to somebody who is not its member."""
    assert (await _refusal(Access(Membership(), public_rooms=False), room))[0] == ErrorCode.FORBIDDEN


async def test_private_rooms_are_asked_for_at_once() -> None:
    """However many there are, among however many public ones: one question, which names those and the user."""
    members = Membership(**{"g-1": {"u-ann"}, "d-1": {"u-ann", "u-bob"}})
    await Access(members, public_rooms=True).check("u-ann", "lobby", "g-1", "hall", "d-1")
    assert members.asked == [CheckMember(user="u-ann", rooms=["g-1", "d-1"])]


async def test_a_service_uses_private_rooms_that_are_there() -> None:
    """Without being a member; where there are no public rooms, there are none for it either."""
    members = Membership(**{"g-1": {"u-ann"}})
    access = Access(members, public_rooms=True)
    await access.check(None, "lobby", "g-1")
    assert members.asked == [CheckMember(rooms=["g-1"])]
    for barred, room in ((access, "g-none"), (Access(members, public_rooms=False), "lobby")):
        with pytest.raises(ParleyError) as caught:
            await barred.check(None, room)
        assert caught.value.code == ErrorCode.FORBIDDEN


async def test_one_foreign_room_is_enough_to_be_refused() -> None:
    """Whoever asks for several is a member of all of them, or may use none."""
    members = Membership(**{"g-1": {"u-ann"}, "g-2": {"u-bob"}})
    assert (await _refusal(Access(members, public_rooms=True), "g-1", "g-2"))[0] == ErrorCode.FORBIDDEN


async def test_rooms_that_do_not_exist_answer_like_foreign_ones() -> None:
    """The answer is word for word the same, and repeats nothing: ids cannot be tried out."""
    members = Membership(**{"g-1": {"u-bob"}})
    foreign = await _refusal(Access(members, public_rooms=True), "g-1")
    assert foreign == await _refusal(Access(members, public_rooms=True), "g-none")
    assert foreign == await _refusal(Access(members, public_rooms=False), "no-such-room")
    assert "g-1" not in foreign[1]
