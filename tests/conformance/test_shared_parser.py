"""Connections share a parser for reads that are one whole frame; none may see another's bytes, whatever comes.

Here the reads are chosen: frames of several connections, right and wrong, are cut at random places, and the pieces of
all connections interleaved. Each must be told exactly what it would be told alone, by the RFC's rules.
"""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.gateway.edge.backlog import Backlog
from services.gateway.edge.limits import Limits
from services.gateway.edge.pace import Pace
from services.gateway.edge.shared import Shared
from services.gateway.edge.websocket import WebSocket
from tests.conformance.raw import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame

MOST: Final = 300
LIMITS: Final = Limits(payload_most=MOST)

Told = tuple[str, Any]
Frame = dict[str, Any]


class Stream:
    """What the protocol asks of a transport; tells of what is written."""

    def __init__(self, told: list[Told]) -> None:
        self.told = told

    def set_write_buffer_limits(self, *, high: int) -> None:
        """Nothing waits."""
        assert high == 0

    def write(self, data: bytes) -> None:
        """One control frame."""
        opcode, payload = data[0] & 15, data[2:]
        self.told.append(("pong", payload) if opcode == PONG else ("close", int.from_bytes(payload, "big")))

    def get_write_buffer_size(self) -> int:
        """Everything has been sent."""
        return 0

    def is_closing(self) -> bool:
        """Nobody is there, for those who look at all transports."""
        return True

    def close(self) -> None:
        """It is."""

    pause_reading = resume_reading = abort = close


class Session:
    """Keeps what it is told, in the place of a session."""

    closed = False
    owner = SimpleNamespace(pace=Pace(LIMITS))
    transport: object = None
    write: object = None

    def __init__(self, told: list[Told]) -> None:
        self.receive: Callable[[str | bytes], None] = lambda packet: told.append(("message", packet))

    def catch_up(self) -> None:
        """See `Session`."""

    def end(self, reason: str) -> None:
        """See `Session`."""


class Peer:
    """One connection, and what has come of it."""

    def __init__(self, shared: Shared) -> None:
        self.told: list[Told] = []
        self.socket = WebSocket(shared, Stream(self.told))  # type: ignore[arg-type]
        self.socket.carry(Session(self.told))  # type: ignore[arg-type]

    def read(self, data: bytes) -> None:
        """Bytes come, as the event loop brings them."""
        self.socket.data_received(data)


def reference(sent: list[Frame]) -> tuple[list[Told], set[int]]:
    """What a connection is told by these frames, and the codes that it may then be closed with (none: it is open)."""
    told: list[Told] = []
    kind, message = 0, b""
    for each in sent:
        opcode, payload = each["opcode"], each["payload"]
        wrong = breaches(each, kind, len(message))
        if wrong:
            return told, wrong
        if opcode == PING:
            told.append(("pong", payload))
        elif opcode == CLOSE:
            return told, {close_code(payload)}
        elif opcode < CLOSE:
            kind, message = opcode or kind, message + payload
            if each["final"]:
                try:
                    told.append(("message", message.decode() if kind == TEXT else message))
                except UnicodeDecodeError:
                    return told, {1007}
                kind, message = 0, b""
    return told, set()


def breaches(each: Frame, kind: int, size: int) -> set[int]:
    """The codes for what is wrong with a frame within a message of `kind`, of which `size` bytes have come."""
    opcode, payload = each["opcode"], each["payload"]
    wrong = set()
    if not each["masked"] or each["reserved"] or opcode not in {0, 1, 2, 8, 9, 10}:
        wrong.add(1002)
    if opcode >= CLOSE and (not each["final"] or len(payload) > 125):
        wrong.add(1002)
    if opcode < CLOSE and (opcode == CONTINUATION) != (kind > 0):
        wrong.add(1002)
    if opcode < CLOSE and len(payload) + size > MOST:
        wrong.add(1009)
    return wrong


def close_code(payload: bytes) -> int:
    """What a close frame is answered with."""
    if not payload:
        return 1000
    code = int.from_bytes(payload[:2], "big")
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        # Both may be wrong at once; the generator below makes no such frame.
        return 1007
    legal = code in {1000, 1001, 1002, 1003, *range(1007, 1015)} or 3000 <= code < 5000
    return code if legal and len(payload) > 1 else 1002


PAYLOADS: Final = st.one_of(
    st.binary(max_size=8),
    st.text(max_size=8).map(str.encode),
    st.sampled_from([b"", b"4", b"\x80", b"\xe2\x82", b"\xac", b"a" * 125, b"b" * 126, b"c" * 127, b"d" * MOST]),
    st.integers(0, MOST + 1).map(lambda size: b"e" * size),
    # What looks like frames, when it is read from the wrong place.
    st.sampled_from([frame(TEXT, b"4x"), frame(PING), frame(CLOSE), frame(TEXT, b"4", final=False)]),
)
CLOSES: Final = st.one_of(
    st.just(b""),
    st.just(b"\x03"),
    st.builds(
        lambda code, reason: code.to_bytes(2, "big") + reason,
        st.sampled_from([0, 999, 1000, 1001, 1005, 1006, 1011, 1015, 2999, 3000, 4999, 5000]),
        st.sampled_from([b"", b"why"]),
    ),
    st.just(b"\x03\xe8\xff"),
)


def made(opcodes: st.SearchStrategy[int], payloads: st.SearchStrategy[bytes], **more: Any) -> Any:
    """Frames of these."""
    rest = {"final": st.just(True), "reserved": st.just(0), "masked": st.just(True), **more}
    return st.fixed_dictionaries({"opcode": opcodes, "payload": payloads, **rest})


RIGHT: Final = made(st.sampled_from([TEXT, BINARY, PING, PONG]), PAYLOADS)
PART: Final = made(st.sampled_from([TEXT, BINARY, CONTINUATION, CONTINUATION]), PAYLOADS, final=st.booleans())
WRONG: Final = st.one_of(
    made(st.integers(0, 15).filter(lambda opcode: opcode != CLOSE), PAYLOADS, final=st.booleans()),
    made(st.sampled_from([TEXT, PING]), PAYLOADS, reserved=st.integers(0, 7)),
    made(st.sampled_from([TEXT, BINARY, PING]), PAYLOADS, masked=st.just(False)),
    made(st.just(CLOSE), CLOSES),
)
MESSAGE: Final = st.one_of(
    RIGHT.map(lambda each: [each]),
    st.lists(st.one_of(PART, made(st.just(PING), st.just(b"p"))), min_size=1, max_size=4),
    st.builds(
        lambda first, rest: [
            {**first, "final": False},
            *({**each, "opcode": CONTINUATION, "final": last} for each, last in rest),
        ],
        made(st.sampled_from([TEXT, BINARY]), st.sampled_from([b"", b"4a", b"\xe2", b"\xe2\x82\xac"])),
        st.lists(st.tuples(RIGHT, st.booleans()), min_size=1, max_size=4),
    ),
)
SENT: Final = st.builds(
    lambda messages, wrong: [each for message in messages for each in message] + wrong,
    st.lists(MESSAGE, max_size=6),
    st.lists(WRONG, max_size=2),
)


@contextmanager
def running() -> Iterator[Shared]:
    """What connections share, where an event loop runs (the wheels ask for the time)."""
    loop = asyncio.new_event_loop()
    asyncio._set_running_loop(loop)
    shared = Shared(LIMITS, Backlog(LIMITS))
    try:
        yield shared
    finally:
        shared.closing.stop()
        asyncio._set_running_loop(None)
        loop.close()


def reads_of(sent: list[Frame], ways: st.DataObject) -> list[bytes]:
    """The bytes of `sent`, cut into reads: between frames, within them, or both."""
    encoded = [frame(**each) for each in sent]
    reads: list[bytes] = []
    whole = b""
    for each in encoded:
        whole += each
        how = ways.draw(st.sampled_from(["flush", "flush", "keep", "cut", "bytes"]))
        if how == "keep":
            continue
        if how == "cut":
            at = ways.draw(st.integers(0, len(whole)))
            pieces = [whole[:at], whole[at:]]
            if ways.draw(st.booleans()):
                whole = pieces.pop()
                reads += filter(None, pieces)
                continue
        else:
            pieces = [bytes([byte]) for byte in whole] if how == "bytes" and len(whole) < 40 else [whole]
        reads += filter(None, pieces)
        whole = b""
    return [*reads, whole] if whole else reads


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(SENT, min_size=1, max_size=4), st.data())
def test_each_connection_is_told_what_it_was_sent(conversations: list[list[Frame]], ways: st.DataObject) -> None:
    """And nothing else, whatever the others send, and however it is cut; a broken one harms nobody."""
    with running() as shared:
        peers = [Peer(shared) for _ in conversations]
        reads = [reads_of(sent, ways) for sent in conversations]
        while any(reads):
            number = ways.draw(st.sampled_from([number for number, left in enumerate(reads) if left]))
            peers[number].read(reads[number].pop(0))
        for peer, sent in zip(peers, conversations, strict=True):
            told, codes = reference(sent)
            if codes:
                *rest, (what, code) = peer.told
                assert rest == told
                assert what == "close"
                assert code in codes
            else:
                assert peer.told == told


BREAKING: Final = {
    "reserved": frame(TEXT, b"4x", reserved=4),
    "opcode": frame(3, b"4x"),
    "continuation": frame(CONTINUATION, b"4x"),
    "utf-8": frame(TEXT, b"4\xff"),
    "large": frame(BINARY, b"x" * (MOST + 1)),
    "long ping": frame(PING, b"x" * 126),
    "close": frame(CLOSE, b"\x03\xe8"),
    "bad close": frame(CLOSE, b"\x03"),
    "bad code": frame(CLOSE, b"\x03\xee"),
    "unmasked": frame(TEXT, b"4x", masked=False),
    "begun": frame(TEXT, b"4x", final=False),
    "half": frame(TEXT, b"4x")[:5],
    "one byte": frame(TEXT, b"4x")[:1],
    "two": frame(TEXT, b"4x") * 2,
}


@pytest.mark.parametrize("names", list(itertools.permutations(BREAKING, 2)), ids=" and ".join)
def test_nothing_is_left_behind_for_others(names: tuple[str, str]) -> None:
    """After any two connections have sent any of these, a third is served, and they themselves are as they were."""
    with running() as shared:
        bystander, *breakers = [Peer(shared) for _ in range(3)]
        for breaker, name in zip(breakers, names, strict=True):
            breaker.read(BREAKING[name])
            bystander.read(frame(TEXT, b"4hello"))
        assert bystander.told == [("message", "4hello")] * 2
        late = Peer(shared)
        late.read(frame(PING, b"p"))
        assert late.told == [("pong", b"p")]


def test_a_handler_may_close_its_connection_while_its_frame_is_parsed() -> None:
    """And others while it is at that; nothing more is parsed for those, and the parser serves the next."""
    with running() as shared:
        one, other = Peer(shared), Peer(shared)

        def close(_packet: str | bytes) -> None:
            for each in (one, other):
                each.socket.close(b"", 1000)

        session = Session([])
        session.receive = close
        one.socket.carry(session)  # type: ignore[arg-type]
        one.socket.data_received(frame(TEXT, b"4x"))
        other.socket.data_received(frame(TEXT, b"4x"))
        assert one.told == other.told == [("close", 1000)]
        late = Peer(shared)
        late.read(frame(TEXT, b"4late"))
        assert late.told == [("message", "4late")]
