"""The rules of private rooms: who may change what, and what every gateway hears of it."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from services.auth import groups
from services.auth.groups import Room
from wire.control import MembersChanged
from wire.errors import ErrorCode, ParleyError
from wire.ids import is_private_room
from wire.membership import CheckMember

MOST = 5
ANN, BOB, CAM, DEE = "u-ann", "u-bob", "u-cam", "u-dee"


def group(*others: str) -> Room:
    """Ann's, of which all gateways have heard."""
    return announced(groups.new_group(ANN, others, None, now=1, most=MOST))


def announced(room: Room) -> Room:
    """`room`, once all gateways have heard of it."""
    return msgspec.structs.replace(room, unannounced=())


def members(room: Room) -> list[str]:
    """Those of longest standing first."""
    return [each.id for each in room.members]


def invited(room: Room, user: str, *, most: int = MOST) -> Room:
    """After somebody was invited."""
    return groups.with_member(room, user, now=2, most=most)


def refused(change: Callable[..., Room], *args: Any, **more: Any) -> ParleyError:
    """How a change is refused."""
    with pytest.raises(ParleyError) as caught:
        change(*args, **more)
    return caught.value


def test_a_group_has_its_owner_and_everybody_once() -> None:
    """Its id is one of a private room, is an id, and cannot be guessed."""
    room = groups.new_group(ANN, [BOB, ANN, BOB, CAM], "  Climbing ", now=7, most=MOST)
    assert (members(room), room.owner, room.name, room.kind) == ([ANN, BOB, CAM], ANN, "Climbing", "group")
    assert is_private_room(room.id)
    assert len(room.id) == 2 + 32
    assert room.id != groups.new_group(ANN, [], None, now=7, most=MOST).id
    msgspec.convert({"user": ANN, "rooms": [room.id]}, CheckMember)


@pytest.mark.parametrize("name", ["", " ", "x" * 65, "a\nb", "a\u202eb", "\u3164", "\ud800"])
def test_a_group_is_called_as_people_are(name: str) -> None:
    """When it is made and when it is renamed; what is said names the field and repeats nothing."""
    making = refused(groups.new_group, ANN, [], name, now=1, most=MOST)
    renaming = refused(groups.renamed, group(), ANN, name)
    assert (making.code, making.message) == (renaming.code, renaming.message)
    assert making.code == ErrorCode.INVALID
    assert making.message.startswith("name must ")


def test_a_group_has_a_size() -> None:
    """Reached by making it or by inviting; whoever is in it already can be invited again all the same."""
    assert refused(groups.new_group, ANN, [f"u-{n}" for n in range(MOST)], None, now=1, most=MOST).code == "invalid"
    full = group(*(f"u-{n}" for n in range(MOST - 1)))
    assert refused(invited, full, BOB).code == ErrorCode.INVALID
    assert invited(full, "u-1") is full


def test_a_direct_conversation_is_the_same_for_both() -> None:
    """Whoever opens it; and another one for anybody else."""
    room = groups.direct(ANN, BOB, now=1)
    assert room == groups.direct(BOB, ANN, now=1)
    assert is_private_room(room.id)
    assert len(room.id) == 2 + 32
    assert (sorted(members(room)), room.kind, room.owner) == ([ANN, BOB], "direct", None)
    assert room.id not in {groups.direct(ANN, CAM, now=1).id, groups.direct("u-an", "nu-bob", now=1).id}
    assert refused(groups.direct, ANN, ANN, now=1).code == ErrorCode.INVALID


def test_a_direct_conversation_cannot_be_changed() -> None:
    """Nobody comes or goes, it has no name, and nobody ends it."""
    room = groups.direct(ANN, BOB, now=1)
    for refusal in (
        refused(invited, room, CAM),
        refused(groups.without_member, room, ANN, ANN),
        refused(groups.without_member, room, ANN, BOB),
        refused(groups.renamed, room, ANN, "Us"),
        refused(groups.ended, room, ANN),
    ):
        assert (refusal.code, refusal.message) == (ErrorCode.INVALID, "a direct conversation cannot be changed")


def test_only_the_owner_removes_renames_and_deletes() -> None:
    """A member is told so."""
    room = group(BOB, CAM)
    for refusal in (
        refused(groups.without_member, room, BOB, CAM),
        refused(groups.without_member, room, BOB, ANN),
        refused(groups.renamed, room, BOB, "Mine"),
        refused(groups.ended, room, BOB),
    ):
        assert refusal.code == ErrorCode.FORBIDDEN
        assert "only the owner" in refusal.message
    assert members(groups.without_member(room, ANN, BOB)) == [ANN, CAM]
    assert groups.renamed(room, ANN, "Ours").name == "Ours"
    assert members(groups.ended(room, ANN)) == []


def test_who_is_no_member_cannot_be_removed_and_that_is_fine() -> None:
    """Nothing changes."""
    room = group(BOB)
    assert groups.without_member(room, ANN, CAM) is room


def test_an_owner_who_leaves_is_followed_by_the_member_of_longest_standing() -> None:
    """Not by whoever has been away in between; a group that the last one leaves is over."""
    room = group(BOB, CAM)
    room = invited(groups.without_member(room, ANN, BOB), BOB)
    room = groups.without_member(room, ANN, ANN)
    assert (members(room), room.owner) == ([CAM, BOB], CAM)
    room = groups.without_member(groups.without_member(room, BOB, BOB), CAM, CAM)
    assert members(room) == []


def test_gateways_hear_who_came_and_who_went_and_why() -> None:
    """Of each user the last that happened, in the order in which it did; of a name nothing."""
    room = groups.without_member(group(BOB, CAM), ANN, BOB)
    assert groups.announcements(room) == [MembersChanged(room=room.id, removed=(BOB,), reason="removed")]
    room = groups.without_member(invited(room, DEE), CAM, CAM)
    assert groups.announcements(room) == [
        MembersChanged(room=room.id, removed=(BOB,), reason="removed"),
        MembersChanged(room=room.id, added=(DEE,)),
        MembersChanged(room=room.id, removed=(CAM,), reason="left"),
    ]
    room = invited(room, BOB)
    assert MembersChanged(room=room.id, added=(DEE, BOB)) in groups.announcements(room)
    room = groups.ended(room, ANN)
    gone = MembersChanged(room=room.id, removed=(CAM,), reason="left")
    assert groups.announcements(room)[0] == gone
    assert set(groups.announcements(room)[1].removed) == {ANN, BOB, DEE}
    assert groups.announcements(room)[1].reason == "deleted"
    assert groups.announcements(groups.renamed(group(BOB), ANN, "Ours")) == []


class Model:
    """What a group is, said simply: who is in it, since when, and whose it is. `heard` is what a gateway knows."""

    def __init__(self) -> None:
        self.users = [ANN]
        self.owner = ANN
        self.heard = {ANN}

    def hear(self, room: Room) -> None:
        """Apply what is announced."""
        for each in groups.announcements(room):
            self.heard |= set(each.added)
            self.heard -= set(each.removed)

    def apply(self, operation: str, by: str, user: str) -> bool:
        """Do it if it is allowed, and say whether it is."""
        if by not in self.users:
            return False
        if operation == "invite":
            if user not in self.users and len(self.users) == MOST:
                return False
            self.users += [user] * (user not in self.users)
        elif operation == "remove":
            if by not in {user, self.owner}:
                return False
            self.users = [each for each in self.users if each != user]
            if user == self.owner and self.users:
                self.owner = self.users[0]
        elif by == self.owner:
            self.users = []
        else:
            return False
        return True


def _apply(room: Room, operation: str, by: str, user: str) -> Room | None:
    """As `PrivateRooms` does it; None if it was refused."""
    if not room.has(by):
        return None
    try:
        if operation == "invite":
            return groups.with_member(room, user, now=2, most=MOST)
        if operation == "remove":
            return groups.without_member(room, by, user)
        return groups.ended(room, by)
    except ParleyError:
        return None


_users = st.sampled_from([ANN, BOB, CAM, DEE, "u-e", "u-f", "u-g"])
_operations = st.sampled_from(["invite"] * 6 + ["remove"] * 6 + ["end"])


@hypothesis_settings(deadline=None, max_examples=500)
@given(st.lists(st.tuples(_operations, _users, _users, st.booleans()), max_size=40))
def test_a_group_is_what_a_simple_model_of_it_says(steps: list[tuple[str, str, str, bool]]) -> None:
    """Its owner is a member as long as there are any; nobody is in it twice, or without having been invited.

    Whatever was not announced at once is announced later, and then gateways know who is a member.
    """
    room, model = group(), Model()
    for operation, by, user, is_announced in steps:
        changed = _apply(room, operation, by, user)
        assert model.apply(operation, by, user) is (changed is not None)
        room = changed or room
        assert members(room) == model.users
        assert not room.members or (room.owner == model.owner and room.has(model.owner))
        assert len(set(members(room))) == len(room.members) <= MOST
        if is_announced:
            model.hear(room)
            assert model.heard == set(members(room))
            room = announced(room)
    model.hear(room)
    assert model.heard == set(members(room))
