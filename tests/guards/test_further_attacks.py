"""Attacks on the edge's own code, each of which did harm once or would have."""

import asyncio
import gc
from contextlib import AsyncExitStack

import pytest

from services.gateway.edge.websocket import WebSocket
from tests.conformance.raw import CLOSE, frame
from tests.guards.peers import HANDSHAKE, Raw, polling, websocket
from tests.guards.target import Edge, Stock, Target, serving
from tests.support.waiting import until


def _websockets(target: Target) -> int:
    """How many WebSockets of the edge are open, or hold something that was not sent."""

    def count() -> int:
        # Not isinstance, which asks a weak proxy whose object is gone for its class.
        streams = [each._stream for each in gc.get_objects() if type(each) is WebSocket]
        return sum(not each.is_closing() or each.get_write_buffer_size() > 0 for each in streams)

    assert target.serving is not None
    return target.serving.call(count)


async def _status(target: Target, request: bytes) -> int:
    async with Raw(target) as peer:
        peer.send(request)
        return int((await peer.until(b"\r\n")).split(b" ", 2)[1])


@pytest.mark.parametrize("key", ["é", "\udcff", "AAAAAAAAAAAAAAAAAAAAAA=é"], ids=ascii)
async def test_a_key_that_is_not_ascii_is_the_clients_error(key: str) -> None:
    """400, and not an exception of ours with a traceback in the log."""
    request = HANDSHAKE.format(more="").replace("dGhlIHNhbXBsZSBub25jZQ==", key)
    with serving(Edge()) as target:
        assert await _status(target, request.encode(errors="surrogateescape")) == 400
        assert not target.server.eio.sockets


async def test_only_get_becomes_a_websocket() -> None:
    """The body of a POST would be taken for frames."""
    with serving(Edge()) as target:
        async with polling(target) as session:
            request = HANDSHAKE.format(more=f"&sid={session.sid}").replace("GET", "POST")
            request = request.replace("Host: x\r\n", "Host: x\r\nContent-Length: 5\r\n")
            assert await _status(target, request.encode()) == 400


@pytest.mark.parametrize("headers", [b"Host: \xff\r\nOrigin: http://\xff\r\n", b"Host: x\r\nOrigin: http://x\r\n"])
async def test_what_a_preflight_asks_for_need_not_be_text(headers: bytes) -> None:
    """It is answered, or refused; it is no error of ours."""
    head = b"OPTIONS /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n"
    with serving(Edge()) as target:
        assert await _status(target, head + headers + b"Access-Control-Request-Headers: x\xff\r\n\r\n") < 500


@pytest.mark.parametrize("encoding", ["deflate", "gzip"])
async def test_a_payload_that_does_not_inflate_is_the_clients_error(encoding: str) -> None:
    """As any other payload that is none."""
    with serving(Edge()) as target:
        async with polling(target) as session:
            assert 400 <= await session.post("nonsense, not compressed", **{"Content-Encoding": encoding}) < 500


class _Failing:
    """Makes a target's `disconnect` handler fail."""

    def __init__(self, error: type[Exception]) -> None:
        self.error = error
        self.calls = 0

    def disconnect(self, _sid: str, _reason: str) -> None:
        self.calls += 1
        raise self.error("of the application")


@pytest.mark.parametrize("error", [RuntimeError, ValueError])
@pytest.mark.parametrize("how", ["close", "packet"])
async def test_a_disconnect_handler_that_fails_leaves_nothing_behind(error: type[Exception], how: str) -> None:
    """Neither in the manager, nor among the sessions; others connect and go as ever."""
    with serving(Edge()) as target:
        await _ends_with_a_failing_handler(target, error, how)


async def test_on_the_stock_stack_it_does() -> None:
    """The client stays in its rooms for ever."""
    with serving(Stock()) as target, pytest.raises(AssertionError):
        await _ends_with_a_failing_handler(target, RuntimeError, "close")


async def _ends_with_a_failing_handler(target: Target, error: type[Exception], how: str) -> None:
    failing = _Failing(error)
    target.server.on("disconnect", failing.disconnect)
    async with websocket(target) as peer:
        if how == "packet":
            peer.packet("41")
            await until(lambda: failing.calls > 0, "the handler to be called", seconds=target.patience)
    seconds = target.patience
    await until(lambda: not target.server.eio.sockets, "the session to be forgotten", seconds=seconds)
    await until(lambda: not target.server.manager.rooms, "the client to be forgotten", seconds=seconds)
    assert failing.calls == 1


async def test_a_slow_reader_that_says_goodbye_does_not_stay() -> None:
    """Its close frame ends the connection, also when it reads nothing of what waits for it."""
    with serving(Edge()) as target:
        before = _websockets(target)
        async with websocket(target, slow=True) as peer:
            # More than the sockets' buffers hold, less than the bound.
            for size in (1 << 17,) * 64:
                peer.packet(f'42["flood",1,{size}]')
                await until(lambda: "flooded" in target.names() or not target.server.eio.sockets, "an answer")
                target.told.remove(("flooded",))
                if _unsent(target):
                    break
            assert _unsent(target)
            peer.send(frame(CLOSE, b"\x03\xe8"))
            await until(lambda: not target.server.eio.sockets, "the session to be over")
            await until(lambda: _websockets(target) <= before, "its connection to be gone")


def _unsent(target: Target) -> int:
    def count() -> int:
        return sum(int(each.transport.unsent) for each in target.server.eio.sockets.values())

    assert target.serving is not None
    return target.serving.call(count)


async def test_a_shutdown_ends_all_sessions_whoever_answers() -> None:
    """Polling or not, connected or not, reading or not: all are told, and every connection has ended soon after."""
    with serving(Edge()) as target:
        async with AsyncExitStack() as stack:
            peers = [await stack.enter_async_context(websocket(target)) for _ in range(40)]
            strangers = [await stack.enter_async_context(websocket(target, connected=False)) for _ in range(10)]
            sessions = [await stack.enter_async_context(polling(target)) for _ in range(20)]
            requests = len(target.requests)
            polls = [asyncio.ensure_future(each.poll()) for each in sessions[:10]]
            await until(lambda: len(target.requests) == requests + len(polls), "the polls to begin")
            assert target.serving is not None
            target.serving.run(target.server.shutdown())
            assert not target.server.eio.sockets
            assert not target.server.manager.rooms
            assert target.names().count("disconnect") == len(peers) + len(sessions)
            assert {status for status, _ in await asyncio.gather(*polls)} == {200}
            assert all(await asyncio.gather(*(each.ends() for each in peers + strangers)))


async def test_after_a_shutdown_nobody_comes_in() -> None:
    """HTTP connections that are still there are told to go elsewhere, and closed; nothing keeps time for anybody."""
    with serving(Edge()) as target:
        async with Raw(target) as one, Raw(target) as two:
            for kept in (one, two):
                kept.send("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n")
                await kept.until(b'"sid"')
            assert target.serving is not None
            target.serving.run(target.server.shutdown())
            for kept, transport in ((one, "polling"), (two, "websocket")):
                kept.send(HANDSHAKE.format(more="").replace("transport=websocket", f"transport={transport}"))
                head = await kept.until(b"\r\n\r\n")
                assert b" 503 " in head
                assert b"\r\nRetry-After: 1\r\n" in head
                assert b"\r\nConnection: close\r\n" in head
            assert not target.server.eio.sockets


async def test_polls_that_come_and_go_while_a_session_ends_do_no_harm() -> None:
    """Duplicates, and some that are hung up on: the session ends once."""
    with serving(Edge()) as target:
        for _ in range(5):
            target.told.clear()
            async with polling(target) as session:
                before = len(target.requests)
                polls = [asyncio.ensure_future(session.poll()) for _ in range(4)]
                await until(lambda: len(target.requests) > before, "a poll to begin")  # noqa: B023
                polls[0].cancel()
                await asyncio.gather(session.post("1"), *polls, return_exceptions=True)
                await until(lambda: not target.server.eio.sockets, "the session to be over")
            assert target.names().count("disconnect") == 1
            assert not target.server.manager.rooms


async def test_a_crowd_that_leaves_at_once_leaves_nothing() -> None:
    """Hung up on, half of them in the middle of a frame."""
    with serving(Edge()) as target:
        async with AsyncExitStack() as stack:
            before = _websockets(target)
            for number in range(60):
                peer = await stack.enter_async_context(websocket(target, connected=number % 3 > 0))
                if number % 2:
                    peer.send(b"\x81\xfe\x10")
        await until(lambda: not target.server.eio.sockets, "the sessions to be over")
        await until(lambda: _websockets(target) <= before, "the connections to be gone")
        assert not target.server.manager.rooms
