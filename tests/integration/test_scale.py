"""Two hundred clients at once: nobody misses a message, nobody hears another room."""

import asyncio
import random
from contextlib import AsyncExitStack

from tests.support.clients.parley import PythonClient
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until

CLIENTS = 200
ROOMS = 20
MESSAGES = 2000
ROOMS_EACH = 2


async def test_every_member_gets_every_message_of_its_rooms_once_in_order(stack: TestStack) -> None:
    """200 clients, two gateways, 20 rooms, 2,000 messages; and history equals what was acknowledged."""
    seed = random.randrange(1 << 32)
    print("seed", seed)  # shown when the test fails
    chance = random.Random(seed)
    rooms = [unique("scale") for _ in range(ROOMS)]
    joined: dict[PythonClient, list[str]] = {}
    async with AsyncExitStack() as exits:
        await _connect(stack, exits, joined, rooms)
        acked: dict[str, dict[str, int]] = {room: {} for room in rooms}
        work = asyncio.Queue[int]()
        for number in range(MESSAGES):
            work.put_nowait(number)

        async def send(clients: list[PythonClient]) -> None:
            while not work.empty():
                number = work.get_nowait()
                client = chance.choice(clients)
                room = chance.choice(joined[client])
                ack = await client.say(room, f"m{number}", f"body {number}")
                assert ack["ok"], ack
                assert not ack["duplicate"]
                acked[room][f"m{number}"] = ack["seq"]

        clients = list(joined)
        await asyncio.gather(*(send(clients[start::40]) for start in range(40)))
        assert sum(map(len, acked.values())) == MESSAGES

        expected = {room: sorted((seq, id) for id, seq in ids.items()) for room, ids in acked.items()}
        total = sum(len(expected[room]) for mine in joined.values() for room in mine)
        await until(lambda: sum(len(each.of("message")) for each in clients) >= total, "all deliveries", seconds=60)

        for client, mine in joined.items():
            assert len(client.of("message")) == sum(len(expected[room]) for room in mine)
            for room in mine:
                seen = [(each["seq"], each["id"]) for each in client.messages(room)]
                assert seen == expected[room]
                seqs = [seq for seq, _ in seen]
                assert [each["prev"] for each in client.messages(room)] == [0, *seqs][:-1]

        for room in rooms:
            reader = next(client for client, mine in joined.items() if room in mine)
            assert await _read_all(reader, room) == expected[room]


async def _connect(
    stack: TestStack, exits: AsyncExitStack, joined: dict[PythonClient, list[str]], rooms: list[str]
) -> None:
    tokens = [await stack.token() for _ in range(CLIENTS)]

    async def one(number: int) -> None:
        url = stack.gateway_urls[number % 2]
        client = PythonClient(url, tokens[number], transports=["websocket"])
        await exits.enter_async_context(client)
        mine = [rooms[(number + step * 7) % ROOMS] for step in range(ROOMS_EACH)]
        for room in mine:
            await client.join(room)
        joined[client] = mine

    for start in range(0, CLIENTS, 20):
        await asyncio.gather(*(one(number) for number in range(start, start + 20)))


async def _read_all(reader: PythonClient, room: str) -> list[tuple[int, str]]:
    """Page forwards through all of a room."""
    found: list[tuple[int, str]] = []
    after = 0
    while True:
        page = await reader.call("history", {"room": room, "after": after, "limit": 30})
        found += [(each["seq"], each["id"]) for each in page["messages"]]
        if not page["more"]:
            return found
        after = found[-1][0]
