"""Which versions of python-socketio, python-engineio, aiohttp and uvloop the edge relies on.

What it relies on, and none of them promises, is in `test_socketio_seams`, `test_engineio_seams`, `test_aiohttp_seams`
and `test_uvloop_seams`. When one of these fails after an upgrade, nothing is wrong with the test: read what changed
there, then the modules of `services/gateway/edge` that the failure names, and then move the versions here.
"""

import re
from importlib.metadata import version
from pathlib import Path
from typing import Final

import pytest

LOCK: Final = Path(__file__).parents[2] / "requirements" / "services.txt"
READ_ON: Final = {
    "python-socketio": (
        "5.18.1",
        "AsyncServer and BaseServer, BaseManager, AsyncManager, Packet; edge/server.py, manager.py and packet.py",
    ),
    "python-engineio": (
        "4.15.1",
        "AsyncServer._trigger_event, BaseServer.__init__ and .generate_id, Packet.encode, Payload; edge/engine.py",
    ),
    "aiohttp": (
        "3.14.5",
        "web_protocol.RequestHandler, _websocket/reader_py.py and .pxd; edge/handshake.py, parser.py and its tests",
    ),
    "uvloop": ("0.23.0", "handles/stream.pyx and basetransport.pyx; edge/websocket.py and backlog.py"),
}


@pytest.mark.parametrize("name", READ_ON)
def test_the_locked_version_is_the_one_that_was_read(name: str) -> None:
    """Nobody upgrades past the seams without having read them again; what is installed is what is locked."""
    read, what = READ_ON[name]
    locked = re.findall(rf"^{name}==(\S+)", LOCK.read_text(), re.MULTILINE)
    for found in (*locked, version(name)):
        assert found == read, f"the seams were read on {name} {read}, this is {found}. Read again: {what}"
    assert len(locked) == 1
