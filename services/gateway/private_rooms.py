"""The auth service's private rooms, as a gateway asks for them."""

from typing import Final

from runtime.bus import Bus
from runtime.rpc import Caller
from wire import subjects
from wire.membership import RoomInfo, RoomList
from wire.messages import Done

_READ_SECONDS: Final = 5.0
_CHANGE_SECONDS: Final = 10.0
"""Until all gateways have heard of it."""


class PrivateRooms:
    """Every call raises `ParleyError`."""

    def __init__(self, bus: Bus) -> None:
        self.list = Caller(bus, subjects.ROOMS_LIST, RoomList, timeout=_READ_SECONDS)
        self.get = Caller(bus, subjects.ROOMS_GET, RoomInfo, timeout=_READ_SECONDS)
        self.create = Caller(bus, subjects.ROOMS_CREATE, RoomInfo, timeout=_CHANGE_SECONDS)
        self.open_direct = Caller(bus, subjects.ROOMS_DIRECT, RoomInfo, timeout=_CHANGE_SECONDS)
        self.add = Caller(bus, subjects.ROOMS_ADD, Done, timeout=_CHANGE_SECONDS)
        self.remove = Caller(bus, subjects.ROOMS_REMOVE, Done, timeout=_CHANGE_SECONDS)
        self.rename = Caller(bus, subjects.ROOMS_RENAME, Done, timeout=_CHANGE_SECONDS)
        self.delete = Caller(bus, subjects.ROOMS_DELETE, Done, timeout=_CHANGE_SECONDS)
