"""What it costs to let somebody in does not depend on how many others are being let in."""

import time

import pytest
import socketio

from services.gateway.edge.manager import Manager

_FEW, _MANY = 250, 2000
_DEARER_MOST = 3.0
"""Of eight that a cost in proportion to the crowd would be."""


async def _each_costs(manager: socketio.AsyncManager, count: int) -> float:
    """CPU seconds per client to let in `count` who all ask first; the newest first, which is the list's worst."""
    socketio.AsyncServer(client_manager=manager, async_mode="aiohttp")
    began = time.process_time()
    sids = [await manager.pre_connect(f"eio-{number}", "/") for number in range(count)]
    for sid in reversed(sids):
        assert not manager.is_connected(sid, "/")
        await manager.connect(sid, "/")
        assert manager.is_connected(sid, "/")
    return (time.process_time() - began) / count


async def _dearer(kind: type[socketio.AsyncManager]) -> float:
    # The least of several: what else runs on the machine can only add to it.
    few = [await _each_costs(kind(), _FEW) for _ in range(5)]
    many = [await _each_costs(kind(), _MANY) for _ in range(2)]
    return min(many) / min(few)


async def test_a_storm_of_connects_costs_no_more_each_than_a_few() -> None:
    """In a crowd eight times as large."""
    assert await _dearer(Manager) < _DEARER_MOST


async def test_with_the_stock_manager_it_does() -> None:
    """It looks for each of them in a list of all."""
    with pytest.raises(AssertionError):
        assert await _dearer(socketio.AsyncManager) < _DEARER_MOST
