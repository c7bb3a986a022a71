"""Private rooms on a real database and a real stream: what is stored, what is answered, and what gateways hear."""

from collections.abc import AsyncIterator

import pytest_asyncio

from runtime.bus import Bus
from services.auth import rooms
from tests.support.mongo_server import MongoServer, mongo_server
from tests.support.nats_server import connected, nats_server
from tests.support.rooms_world import ANN, BOB, CAM, DEE, MEMBERS_MOST, RoomsWorld, commands, refusal, rooms_world
from wire import codec, membership
from wire.control import MembersChanged
from wire.membership import LISTED_MOST, MEMBERS_LISTED_MOST, NOT_A_MEMBER
from wire.messages import Author, Done, User


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def bus() -> AsyncIterator[Bus]:
    """A connection to a server of this module's own."""
    async with nats_server() as server, connected(server.url) as connection:
        yield connection


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def mongo() -> AsyncIterator[MongoServer]:
    """A database server of this module's own."""
    async with mongo_server() as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def world(bus: Bus, mongo: MongoServer) -> AsyncIterator[RoomsWorld]:
    """Ann, Bob, Cam and Dee, and no room yet."""
    async with rooms_world(bus, mongo) as made:
        yield made


FORBIDDEN = ("forbidden", NOT_A_MEMBER)
NO_SUCH = "g-" + "0" * 32


async def test_members_are_told_of_a_group_and_nobody_else_is(world: RoomsWorld) -> None:
    """With everybody's name, and whose it is."""
    made = await world.rooms.create(membership.CreateGroup(owner=ANN, members=[BOB, BOB], name="Climbing"))
    authors = [Author(id=ANN, display_name="Ann"), Author(id=BOB, display_name="Bob")]
    assert (made.kind, made.name, made.owner, made.member_count, made.members) == (
        "group",
        "Climbing",
        ANN,
        2,
        authors,
    )
    assert made == await world.seen_by(BOB, made.room)
    assert await refusal(world.seen_by(CAM, made.room)) == FORBIDDEN
    assert await world.others.list(membership.ListRooms(user=BOB)) == membership.RoomList(rooms=[made], more=False)
    assert await world.others.list(membership.ListRooms(user=CAM)) == membership.RoomList(rooms=[], more=False)


async def test_a_check_is_of_all_rooms_at_once(world: RoomsWorld) -> None:
    """One question to the database, however many; one foreign room is enough for a no, and so is a public one."""
    mine, too, foreign = await world.group(BOB), await world.group(BOB, owner=CAM), await world.group(owner=CAM)
    assert await world.is_member(BOB, mine, too, mine)
    commands.names.clear()
    assert not await world.is_member(BOB, mine, foreign)
    assert commands.names == ["find"]
    for other in (foreign, NO_SUCH, "lobby", "g-", "u-bob"):
        assert not await world.is_member(BOB, other)
    assert not await world.is_member(DEE, mine)


async def test_whether_rooms_are_there_is_asked_without_a_user(world: RoomsWorld) -> None:
    """For a backend: all of them have to be; one that was deleted, or left by all, is not."""
    one, other = await world.group(BOB), await world.group(owner=CAM)
    assert await world.is_member(None, one, other, one)
    assert not await world.is_member(None, one, NO_SUCH)
    assert not await world.is_member(None, "lobby")
    await world.rooms.remove(membership.RemoveMember(by=CAM, room=other, user=CAM))
    assert not await world.is_member(None, one, other)


async def test_not_a_member_and_no_such_room_are_alike(world: RoomsWorld) -> None:
    """In what is said, and in what is asked of the database, whatever is wanted of the room."""
    foreign = await world.group(BOB, owner=CAM)
    asked = []
    for room in (foreign, NO_SUCH, "lobby"):
        commands.names.clear()
        for wish in (
            world.rooms.check(membership.CheckMember(user=ANN, rooms=[room])),
            world.rooms.get(membership.GetRoom(user=ANN, room=room)),
            world.rooms.add(membership.AddMember(by=ANN, room=room, user=DEE)),
            world.rooms.add(membership.AddMember(by=ANN, room=room, user="u-nobody")),
            world.rooms.add(membership.AddMember(by=ANN, room=room, user=ANN)),
            world.rooms.remove(membership.RemoveMember(by=ANN, room=room, user=BOB)),
            world.rooms.rename(membership.RenameGroup(by=ANN, room=room, name="Mine")),
            world.rooms.rename(membership.RenameGroup(by=ANN, room=room, name="")),
            world.rooms.delete(membership.DeleteGroup(by=ANN, room=room)),
        ):
            assert await refusal(wish) == FORBIDDEN
        # To be out of it is what whoever leaves wants.
        assert await world.rooms.remove(membership.RemoveMember(by=ANN, room=room, user=ANN)) == Done()
        asked.append(list(commands.names))
    assert asked[0] == asked[1] == asked[2]


async def test_who_is_not_there_cannot_be_in_a_room(world: RoomsWorld) -> None:
    """Whichever way; nothing is made or changed then. Members are told so, others are not told even that."""
    room = await world.group(BOB)
    for wish in (
        world.rooms.create(membership.CreateGroup(owner=CAM, members=[BOB, "u-nobody"])),
        world.rooms.open_direct(membership.OpenDirect(user=CAM, other="u-nobody")),
        world.rooms.add(membership.AddMember(by=BOB, room=room, user="u-nobody")),
    ):
        assert await refusal(wish) == ("invalid", "no such user")
    assert (await world.rooms.list(membership.ListRooms(user=CAM))).rooms == []
    assert await world.members(room) == [ANN, BOB]


async def test_any_member_invites_and_once_is_enough(world: RoomsWorld) -> None:
    """Gateways hear of it once it is stored, and once."""
    room = await world.group(BOB)
    world.heard.clear()
    await world.invite(BOB, room, CAM)
    await world.invite(ANN, room, CAM)
    assert await world.members(room) == [ANN, BOB, CAM]
    assert world.heard == [MembersChanged(room=room, added=(CAM,))]
    assert await world.is_member(CAM, room)


async def test_who_is_removed_or_leaves_is_none_any_more(world: RoomsWorld) -> None:
    """Gateways hear which it was; who comes again is the newest."""
    room = await world.group(BOB, CAM)
    world.heard.clear()
    await world.remove(ANN, room, BOB)
    await world.remove(ANN, room, BOB)
    await world.remove(CAM, room, CAM)
    await world.remove(CAM, room, CAM)
    assert world.heard == [
        MembersChanged(room=room, removed=(BOB,), reason="removed"),
        MembersChanged(room=room, removed=(CAM,), reason="left"),
    ]
    assert not await world.is_member(BOB, room)
    await world.invite(ANN, room, CAM)
    await world.invite(CAM, room, BOB)
    await world.remove(ANN, room, ANN)
    seen = await world.seen_by(BOB, room)
    assert (seen.owner, [each.id for each in seen.members or []]) == (CAM, [CAM, BOB])


async def test_a_group_that_is_deleted_or_left_by_all_is_gone(world: RoomsWorld) -> None:
    """Gateways hear of all who were in it; then nothing is kept of it."""
    for room in (await world.group(BOB), await world.group()):
        world.heard.clear()
        if await world.is_member(BOB, room):
            await world.rooms.delete(membership.DeleteGroup(by=ANN, room=room))
            assert world.heard == [MembersChanged(room=room, removed=(ANN, BOB), reason="deleted")]
        else:
            await world.remove(ANN, room, ANN)
            assert world.heard == [MembersChanged(room=room, removed=(ANN,), reason="left")]
        assert await refusal(world.rooms.delete(membership.DeleteGroup(by=ANN, room=room))) == FORBIDDEN
        assert await refusal(world.seen_by(ANN, room)) == FORBIDDEN
    for store in world.stores:
        assert await store._rooms.count_documents({}) == 0


async def test_members_who_are_not_the_owner_are_told_that(world: RoomsWorld) -> None:
    """And nothing changes."""
    room = await world.group(BOB, CAM)
    for wish in (
        world.rooms.remove(membership.RemoveMember(by=BOB, room=room, user=CAM)),
        world.rooms.rename(membership.RenameGroup(by=BOB, room=room, name="Mine")),
        world.rooms.delete(membership.DeleteGroup(by=BOB, room=room)),
    ):
        code, words = await refusal(wish)
        assert code == "forbidden"
        assert words.startswith("only the owner of a group may ")
    assert await world.members(room) == [ANN, BOB, CAM]


async def test_a_group_is_renamed(world: RoomsWorld) -> None:
    """By its owner; gateways need not hear."""
    room = await world.group(BOB)
    world.heard.clear()
    await world.rooms.rename(membership.RenameGroup(by=ANN, room=room, name=" Hiking "))
    assert (await world.seen_by(BOB, room)).name == "Hiking"
    assert world.heard == []


async def test_a_list_has_pages_and_leaves_the_members_of_large_groups_out(world: RoomsWorld) -> None:
    """In the order of their ids, each room once; how many members there are is said all the same."""
    crowd = [f"u-{number:02}" for number in range(MEMBERS_LISTED_MOST)]
    for each in crowd:
        await world.directory.saw(User(id=each, display_name=each.upper()))
    made = {await world.group(): 1 for _ in range(LISTED_MOST)}
    made[await world.group(*crowd)] = 1 + len(crowd)
    made[await world.group(*crowd[:-1])] = len(crowd)
    first = await world.rooms.list(membership.ListRooms(user=ANN))
    rest = await world.rooms.list(membership.ListRooms(user=ANN, after=first.rooms[-1].room))
    assert (len(first.rooms), first.more, len(rest.rooms), rest.more) == (LISTED_MOST, True, 2, False)
    listed = [*first.rooms, *rest.rooms]
    assert [each.room for each in listed] == sorted(made)
    for info in listed:
        assert info.member_count == made[info.room]
        assert (info.members is None) is (info.member_count > MEMBERS_LISTED_MOST)
        assert info.members is None or len(info.members) == info.member_count
        assert len((await world.seen_by(ANN, info.room)).members or []) == info.member_count


async def test_a_list_fits_into_a_message(world: RoomsWorld) -> None:
    """However long its members' names are: it is cut before, and says that there is more."""
    crowd = [f"u-{'x' * 60}{number:02}" for number in range(MEMBERS_LISTED_MOST - 1)]
    for each in crowd:
        await world.directory.saw(User(id=each, display_name="🧗" * 100))
    made = {await world.group(*crowd) for _ in range(40)}
    listed: list[str] = []
    more = True
    while more:
        page = await world.rooms.list(membership.ListRooms(user=ANN, after=listed[-1] if listed else ""))
        assert len(codec.encode(page)) < 1.1 * rooms._LISTED_MOST_BYTES
        listed += [each.room for each in page.rooms]
        more = page.more
        assert page.rooms
    assert listed == sorted(made)
    assert page.rooms[0].members is not None
    assert page.rooms[0].members[1].display_name == "🧗" * 64


async def test_nobody_owns_too_many_groups(bus: Bus, mongo: MongoServer) -> None:
    """Those that somebody was invited to do not count, nor those that are gone."""
    async with rooms_world(bus, mongo, owned_most=2) as world:
        await world.group(ANN, owner=BOB)
        mine = [await world.group() for _ in range(2)]
        code, words = await refusal(world.group())
        assert (code, "2 groups" in words) == ("forbidden", True)
        await world.rooms.delete(membership.DeleteGroup(by=ANN, room=mine[0]))
        await world.group()


async def test_a_group_does_not_grow_above_its_size(world: RoomsWorld) -> None:
    """Not even by one."""
    crowd = [f"u-{number}" for number in range(MEMBERS_MOST)]
    for each in crowd:
        await world.directory.saw(User(id=each, display_name=each))
    assert (await refusal(world.group(*crowd)))[0] == "invalid"
    room = await world.group(*crowd[1:])
    assert (await refusal(world.invite(ANN, room, BOB)))[0] == "invalid"
    await world.invite(ANN, room, crowd[1])
    assert (await world.seen_by(ANN, room)).member_count == MEMBERS_MOST


async def test_of_whom_no_name_is_known_the_id_is_shown(world: RoomsWorld) -> None:
    """Somebody may be gone from the directory, and still be in a room."""
    made = await world.rooms.create(membership.CreateGroup(owner="x-1", members=[ANN]))
    assert made.members == [Author(id="x-1", display_name="x-1"), Author(id=ANN, display_name="Ann")]
