"""What the edge relies on in python-socketio, and nobody promises: see `test_versions`."""

import inspect
from typing import Final

import pytest
import socketio
from socketio.packet import Packet

from services.gateway.edge import packet
from services.gateway.edge.limits import Limits
from services.gateway.edge.manager import Manager
from services.gateway.edge.server import Server
from services.gateway.edge.session import Reason
from tests.contract.signatures import parameters


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("_handle_eio_connect", ["self", "eio_sid", "environ"]),
        ("_handle_eio_disconnect", ["self", "eio_sid", "reason"]),
        ("_handle_connect", ["self", "eio_sid", "namespace", "data"]),
        ("_handle_disconnect", ["self", "eio_sid", "namespace", "reason"]),
        ("disconnect", ["self", "sid", "namespace", "ignore_queue"]),
        ("shutdown", ["self"]),
        ("_engineio_server_class", ["self"]),
    ],
)
def test_what_the_server_overrides_is_there_to_override(name: str, expected: list[str]) -> None:
    """An override of nothing is dead, and one with other parameters is called wrongly."""
    for owner in (socketio.AsyncServer, Server):
        assert name in vars(owner), f"{owner} has no {name} any more: read edge/server.py"
        assert parameters(vars(owner)[name]) == expected, f"{owner}.{name} is called otherwise: read edge/server.py"
    stock, ours = vars(socketio.AsyncServer)[name], vars(Server)[name]
    assert inspect.iscoroutinefunction(stock) == inspect.iscoroutinefunction(ours)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("_handle_eio_message", ["self", "eio_sid", "data"]),
        ("_send_packet", ["self", "eio_sid", "pkt"]),
        ("_trigger_event", ["self", "event", "namespace", "args"]),
    ],
)
def test_what_the_server_calls_is_there_to_call(name: str, expected: list[str]) -> None:
    """As it is called."""
    assert parameters(getattr(socketio.AsyncServer, name)) == expected, f"{name} is called otherwise: read edge/"


OVERRIDDEN: Final = sorted(set(vars(Manager)) & (set(vars(socketio.AsyncManager)) | set(dir(socketio.AsyncManager))))


@pytest.mark.parametrize("name", [each for each in OVERRIDDEN if not each.startswith("__")])
def test_the_manager_answers_as_the_stock_one(name: str) -> None:
    """The same parameters, and a coroutine where that one is; more keywords may be taken than are given."""
    stock, ours = inspect.getattr_static(socketio.AsyncManager, name), vars(Manager)[name]
    for found, expected in zip(parameters(ours), parameters(stock), strict=False):
        same = found == expected or {found, expected} <= {"kwargs", "_", "more"}
        assert same, f"AsyncManager.{name} is called otherwise: read edge/manager.py"
    assert len(parameters(ours)) == len(parameters(stock)), f"AsyncManager.{name} takes more: read edge/manager.py"
    assert inspect.iscoroutinefunction(stock) == inspect.iscoroutinefunction(ours)


def test_the_manager_overrides_all_that_knows_how_rooms_are_kept() -> None:
    """Whatever else of the stock manager looks into its tables would find another shape there."""
    public = {name for name, each in inspect.getmembers(socketio.AsyncManager, inspect.isfunction)}
    inherited = public - set(vars(Manager))
    assert inherited == {
        "__init__",
        "_generate_ack_id",
        "_get_logger",
        "basic_close_room",
        "can_disconnect",
        "close_room",
        "disconnect",
        "enter_room",
        "get_namespaces",
        "initialize",
        "leave_room",
        "set_server",
        "trigger_callback",
    }, "the stock manager has other methods: read them and edge/manager.py"
    for name in inherited - {"__init__"}:
        source = inspect.getsource(inspect.getattr_static(socketio.AsyncManager, name))
        assert "self.rooms[" not in source, f"{name} looks into the rooms: edge/manager.py has to override it"
        assert "pending_" not in source, f"{name} looks into pending clients: edge/manager.py has to override it"


async def test_the_packet_class_is_ours() -> None:
    """`serializer` may be a class; what the server makes of packets is then ours, and its checks are called."""
    ours = Server(limits=Limits())
    assert issubclass(ours.packet_class, Packet), "serializer takes no class any more: read edge/server.py"
    assert ours.packet_class is not Packet
    for name, expected in {
        "decode": ["self", "encoded_packet"],
        "add_attachment": ["self", "attachment"],
        "_reconstruct_binary_internal": ["data", "attachments"],
    }.items():
        for owner in (Packet, packet.checked(Limits())):
            assert name in vars(owner), f"{owner}.{name} is gone: read edge/packet.py"
            assert parameters(getattr(owner, name))[-1] == expected[-1], f"{name} is called otherwise: edge/packet.py"
    with pytest.raises(ValueError, match="malformed"):
        ours.packet_class(encoded_packet='2["disconnect"]')
    with pytest.raises(ValueError, match="too many"):
        ours.packet_class(encoded_packet='5999-["message"]')


def test_the_reasons_are_python_socketios() -> None:
    """Applications compare with them."""
    words = {name: each for name, each in vars(Reason).items() if name.isupper()}
    stock = socketio.AsyncServer.reason
    assert words == {
        "CLIENT": stock.CLIENT_DISCONNECT,
        "SERVER": stock.SERVER_DISCONNECT,
        "PING_TIMEOUT": stock.PING_TIMEOUT,
        "TRANSPORT_CLOSE": stock.TRANSPORT_CLOSE,
        "TRANSPORT_ERROR": stock.TRANSPORT_ERROR,
    }, "read edge/session.py"
