"""What the edge relies on in python-engineio, and nobody promises: see `test_versions`."""

import inspect
from typing import Any

import engineio
from engineio import packet as engineio_packet
from engineio.payload import Payload

from services.gateway.edge.engine import Engine
from services.gateway.edge.limits import Limits
from services.gateway.edge.polling import PACKETS_A_POLL
from services.gateway.edge.server import Server
from services.gateway.edge.session import Session
from tests.contract.signatures import parameters


async def test_the_engine_is_ours_and_python_socketio_listens_to_it() -> None:
    """Three handlers of the server's are all that it needs, found by name in `handlers`."""
    ours = Server(limits=Limits())
    assert type(ours.eio) is Engine, "_engineio_server_class is not asked any more: read edge/server.py"
    assert set(ours.eio.handlers) == {"connect", "message", "disconnect"}, "read edge/engine.py"
    for event in ("connect", "message", "disconnect"):
        handler = ours.eio.handlers[event]
        assert handler == getattr(ours, f"_handle_eio_{event}"), "read edge/engine.py"
        assert inspect.iscoroutinefunction(handler), "the engine awaits it: read edge/engine.py"


def test_what_the_engine_overrides_and_calls_is_there() -> None:
    """By these names and with these parameters does python-socketio call it."""
    for name, expected in {
        "attach": ["self", "app", "engineio_path"],
        "send_packet": ["self", "sid", "pkt"],
        "disconnect": ["self", "sid"],
        "shutdown": ["self"],
        "handle_request": None,
    }.items():
        for owner in (engineio.AsyncServer, Engine):
            assert name in vars(owner), f"{owner}.{name} is gone: read edge/engine.py"
            assert expected is None or parameters(vars(owner)[name]) == expected, f"{name}: read edge/engine.py"
    assert parameters(engineio.AsyncServer._trigger_event) == ["self", "event", "args", "kwargs"]
    assert parameters(engineio.AsyncServer.send) == ["self", "sid", "data"], "python-socketio sends by it"


async def test_an_event_of_the_engine_is_handled_before_it_returns() -> None:
    """`run_async=False`: the caller awaits the handler, and hears what it raises only in the log."""
    ours = Engine(limits=Limits(), transports=("websocket",), allowed_origins=(), on_packet=None)
    told: list[tuple[Any, ...]] = []

    async def handler(*args: Any) -> None:
        told.append(args)
        raise RuntimeError

    ours.on("disconnect", handler)
    await ours._trigger_event("disconnect", "sid", "reason", run_async=False)
    assert told == [("sid", "reason")], "read AsyncServer._trigger_event and edge/engine.py"


async def test_what_is_stored_with_a_session_is_found_through_the_engine() -> None:
    """`get_session` and `save_session` look for `session` at what is in `sockets`."""

    class Transport:
        name = "websocket"
        unsent = 0
        write = close = abort = pause_reading = resume_reading = lambda *_: None

    ours = Engine(limits=Limits(), transports=("websocket",), allowed_origins=(), on_packet=None)
    ours.sockets["sid"] = Session(ours, "sid", Transport())
    await ours.save_session("sid", {"a": 1})
    assert await ours.get_session("sid") == {"a": 1}
    assert ours.transport("sid") == "websocket"


def test_packets_are_encoded_as_the_frames_want_it() -> None:
    """Text with its type, and binary as it is; the numbers of the types are the protocol's."""
    assert engineio_packet.Packet(engineio_packet.MESSAGE, data='2["message",{}]').encode() == '42["message",{}]'
    assert engineio_packet.Packet(engineio_packet.MESSAGE, data=b"\x01").encode() == b"\x01", "read edge/frames.py"
    assert (engineio_packet.CLOSE, engineio_packet.MESSAGE, engineio_packet.NOOP) == (1, 4, 6)


def test_a_payload_is_what_the_python_client_takes() -> None:
    """It refuses more packets than this at once."""
    assert Payload.max_decode_packets == PACKETS_A_POLL, "read edge/polling.py"
