"""What a disconnect costs does not depend on how many others there are."""

import time

import pytest
import socketio

from services.gateway.edge.manager import Manager

_FEW, _MANY = 300, 2400
_DEARER_MOST = 3.0
"""Of eight that a cost in proportion to the crowd would be."""


async def _each_costs(manager: socketio.AsyncManager, count: int) -> float:
    """CPU seconds per client to connect `count`, and to disconnect them all."""
    socketio.AsyncServer(client_manager=manager, async_mode="aiohttp")
    began = time.process_time()
    sids = [await manager.connect(f"eio-{number}", "/") for number in range(count)]
    for number, sid in enumerate(sids):
        manager.basic_enter_room(sid, "/", f"room-{number % 10}")
    for sid in sids:
        manager.get_rooms(sid, "/")
        manager.pre_disconnect(sid, "/")
        await manager.disconnect(sid, "/", ignore_queue=True)
    assert not manager.rooms
    return (time.process_time() - began) / count


async def _dearer(kind: type[socketio.AsyncManager]) -> float:
    # The least of several: what else runs on the machine can only add to it.
    few = [await _each_costs(kind(), _FEW) for _ in range(5)]
    many = [await _each_costs(kind(), _MANY) for _ in range(2)]
    return min(many) / min(few)


async def test_many_disconnects_cost_no_more_each_than_a_few() -> None:
    """In a crowd eight times as large."""
    assert await _dearer(Manager) < _DEARER_MOST


async def test_with_the_stock_manager_they_do() -> None:
    """It walks the rooms of all."""
    with pytest.raises(AssertionError):
        assert await _dearer(socketio.AsyncManager) < _DEARER_MOST
