"""Recoveries that come to nothing: what is counted, what the client has then, and that nothing is left of them."""

import asyncio
from unittest import mock

from services.gateway import metrics
from services.gateway.access import Access
from services.gateway.recovery import recovery
from tests.support.membership import Membership
from tests.support.recovery_world import Client, Gateway, World


async def _away(world: World) -> Client:
    """A client that was in rooms a and b, and has missed something in both."""
    client = Client(world)
    await client.connect(world.gateways[0])
    client.read(1)
    for room in ("a", "b"):
        client.join(room)
    await asyncio.gather(*client.tasks)
    client.lose(noticed=True)
    for room in ("a", "b"):
        world.say(room)
    return client


def _left(gateway: Gateway) -> tuple[bool, int, set[str], set[str]]:
    """Whether anything is begun, free slots, and the rooms that are held and in which somebody resumes."""
    rooms = gateway.rooms._rooms.values()
    return (
        bool(gateway.recovery._begun),
        gateway.recovery._slots._value,
        {each.name for each in rooms if each.holds},
        {each.name for each in rooms if each.resuming},
    )


NOTHING = (False, recovery._AT_ONCE, set[str](), set[str]())


async def _gets_a_new_session(client: Client, gateway: Gateway, outcome: str) -> None:
    before = metrics.recoveries[outcome,]
    await client.connect(gateway)
    client.read(1)
    assert client.recovered == [False, False]
    assert client.connection is not None
    assert not client.connection.rooms
    assert metrics.recoveries[outcome,] == before + 1


async def test_who_waits_too_long_for_a_turn_joins_by_themselves() -> None:
    """Long before the time for all of a recovery is over."""
    world = World()
    client = await _away(world)
    gateway = world.gateways[1]
    for _ in range(recovery._AT_ONCE):
        await gateway.recovery._slots.acquire()
    with mock.patch.object(recovery, "_TURN_SECONDS", 0.01):
        await _gets_a_new_session(client, gateway, "busy")
    for _ in range(recovery._AT_ONCE):
        gateway.recovery._slots.release()
    assert _left(gateway) == NOTHING


async def test_a_room_that_is_the_users_no_more_is_not_recovered() -> None:
    """Nor are the others: the application has to find out."""
    world = World()
    client = await _away(world)
    gateway = world.gateways[1]
    with mock.patch.object(gateway.recovery, "_access", Access(Membership(), public_rooms=False)):
        await _gets_a_new_session(client, gateway, "forbidden")
    assert _left(gateway) == NOTHING


async def test_a_connection_that_closes_while_it_is_recovered_leaves_nothing() -> None:
    """In whichever turn of the loop it does; its client is recovered elsewhere."""
    turns, is_over = 0, False
    while not is_over:
        turns += 1
        world = World()
        client = await _away(world)
        gateway = world.gateways[1]
        connecting = asyncio.ensure_future(client.connect(gateway))
        for _ in range(turns):
            await asyncio.sleep(0)
        is_over = connecting.done()
        client.lose(noticed=True)
        await connecting
        assert _left(gateway) == NOTHING, turns
        await client.connect(world.gateways[0])
        client.read(1)
        assert client.recovered[-1], turns
    assert turns > 10
