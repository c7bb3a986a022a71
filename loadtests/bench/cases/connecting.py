"""Connecting: one after the other, and after all were dropped at once."""

from typing import Final

from loadtests.bench.measuring import US, Bench, Figures, undisturbed
from loadtests.bench.settling import settled
from loadtests.bench.targets import Traits

_WARM_UP: Final = 1000
"""Connections that come and go before, so that what is compiled as it runs has been."""
_ROOM_SIZE: Final = 10


class Connect:
    """WebSocket handshake and Socket.IO CONNECT, token verified where the server does that."""

    name = "connect"

    def fits(self, traits: Traits, _connections: int) -> bool:
        """Where there is something to be admitted to."""
        return not traits.fan_out_only

    async def run(self, bench: Bench) -> Figures:
        """CPU per connection until the server rests again, and how many were admitted a second."""
        async with bench.crowd() as first:
            await first.connect(_WARM_UP)
        await settled(bench)
        async with bench.crowd() as crowd:
            with undisturbed():
                meter, whole = bench.meter(), bench.meter()
                await crowd.connect(bench.connections)
                seconds = meter.lap().seconds
                await settled(bench)
                spent = whole.lap()
        return {
            "CPU per connect, us": spent.server_ns / bench.connections / US,
            "CPU beside per connect, us": spent.beside_ns / bench.connections / US,
            "connects a second": bench.connections / seconds,
        }


class Storm:
    """All members of rooms of 10 vanish at once, and all are at the door again at that moment; later, they vanish."""

    name = "storm"

    def fits(self, traits: Traits, _connections: int) -> bool:
        """Where there is something to be admitted to."""
        return not traits.fan_out_only

    async def run(self, bench: Bench) -> Figures:
        """Time until all are connected and in their rooms again, and CPU each until then; CPU each to forget them."""
        async with bench.crowd() as crowd:
            await crowd.connect(bench.connections, room_size=_ROOM_SIZE)
            await crowd.join()
            await settled(bench)
            crowd.check()
            with undisturbed():
                meter = bench.meter()
                await crowd.drop()
                await crowd.connect(
                    bench.connections, room_size=_ROOM_SIZE, at_once=bench.connections, persistent=True
                )
                await crowd.join()
                storm = meter.lap()
            await settled(bench)
            crowd.check()
            with undisturbed():
                meter = bench.meter()
                await crowd.drop()
                await settled(bench)
                end = meter.lap()
        return {
            "until all are back, s": storm.seconds,
            "turned away at first, % of them": 100 * crowd.tried_again / bench.connections,
            "CPU per reconnect, us": storm.server_ns / bench.connections / US,
            "CPU per disconnect, us": end.server_ns / bench.connections / US,
        }
