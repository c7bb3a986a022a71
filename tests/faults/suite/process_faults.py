"""Processes that are killed, told to end, or stopped for a while."""

import asyncio
from typing import Final

from deploy.local.stack import GATEWAYS
from tests.faults.suite.fault import Blow, fault
from tests.support.paused import paused
from tests.support.waiting import until

_DRAIN_SECONDS: Final = 30.0
_RECONNECT_SECONDS: Final = 1.5 * 5.0
"""The longest pause of an official client between two attempts to connect: randomized, with its default options."""
_EXIT_SECONDS: Final = 15.0
"""What a gateway may take beside its drain."""
_FELT: Final = 0.7
"""How much of a stop somebody has to wait for, at least: nobody may have spoken just when it began."""


@fault()
async def gateway_killed(blow: Blow) -> None:
    """Kill -9 of a gateway."""
    await blow.kill(blow.arena.child(blow.gateway()))


@fault(absence_most=lambda drain: drain + _RECONNECT_SECONDS)
async def rolling_restart(blow: Blow) -> None:
    """SIGTERM to each gateway in turn, the next once the one before is ready again. Their exit code must be 0."""
    arena = blow.arena
    for name in blow.rng.sample(GATEWAYS, len(GATEWAYS)):
        arena.lead_to(*(each for each in GATEWAYS if each != name))
        code = await arena.child(name).stop(timeout=_DRAIN_SECONDS + _EXIT_SECONDS)
        if code:
            arena.troubles.append(f"{name} ended with exit code {code}")
        await arena.child(name).start()
        await arena.stack.ready(name)
        arena.lead_to(*GATEWAYS)
        await blow.moment()


@fault()
async def gateway_stopped_5(blow: Blow) -> None:
    """SIGSTOP to a gateway for 5 s: less than anything notices."""
    await _stopped(blow, blow.gateway(), 5, short=2)


@fault()
async def gateway_stopped_30(blow: Blow) -> None:
    """SIGSTOP to a gateway for 30 s: longer than NATS waits for it to read."""
    await _stopped(blow, blow.gateway(), 30, short=6)


@fault()
async def history_killed(blow: Blow) -> None:
    """Kill -9 of history when it has written a batch and is about to acknowledge it, several times.

    JetStream delivers that batch again after half a minute; the short cut does not wait for it.
    """
    way, history = blow.arena.ways["history"], blow.arena.child("history")

    async def found_in_place() -> bool:
        metric = "parley_history_already_persisted_messages_total"
        return await blow.arena.stack.metric("history", metric) > 0

    for _ in range(1 if blow.is_short else 3):
        async with asyncio.timeout(30):
            await way.sees(b"PUB $JS.ACK.")
        await blow.kill(history)
        await blow.arena.stack.ready("history")
    if not blow.is_short:
        await until(found_in_place, "a batch that was written to come again", seconds=60, every=0.5)


@fault()
async def auth_killed(blow: Blow) -> None:
    """Kill -9 of auth while a gateway is killed, too: those who come back are refused for a while."""
    auth, gateway = blow.arena.child("auth"), blow.arena.child(blow.gateway())
    await auth.kill()
    await gateway.kill()
    await gateway.start()
    await blow.wait(8, short=2)
    await auth.start()


@fault()
async def nats_killed(blow: Blow) -> None:
    """Kill -9 of nats-server."""
    await blow.kill(blow.arena.child("nats"))


@fault()
async def nats_stopped(blow: Blow) -> None:
    """SIGSTOP to nats-server for 10 s."""
    await _stopped(blow, "nats", 10, short=3)


@fault()
async def mongo_killed(blow: Blow) -> None:
    """Kill -9 of MongoDB, which stays away for a minute."""
    mongo = blow.arena.child("mongo")
    await mongo.kill()
    await blow.wait(60, short=3)
    await mongo.start()


@fault()
async def all_killed(blow: Blow) -> None:
    """Kill -9 of every process at once, nats-server and the database with them."""
    stack = blow.arena.stack
    await asyncio.gather(*(each.kill() for each in stack.children.values()))
    await blow.moment()
    for name, child in stack.children.items():  # servers first
        await child.start()
        await stack.ready(name)


async def _stopped(blow: Blow, name: str, seconds: float, *, short: float) -> None:
    async with blow.felt(_FELT * seconds, short=_FELT * short), paused(blow.arena.child(name)):
        await blow.wait(seconds, short=short)
