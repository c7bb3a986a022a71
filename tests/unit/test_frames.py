"""Frames: what a server's WebSocket frame says is found in it again."""

import pytest
from engineio.packet import MESSAGE, Packet
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.edge import frames

LENGTHS = [0, 1, 125, 126, 127, 65535, 65536, 70_000]


@pytest.mark.parametrize("length", LENGTHS)
def test_packets_undoes_text_and_binary(length: int) -> None:
    """At every length at which the head of a frame changes, alone and between others."""
    text, data = "é" * (length // 2) + "x" * (length % 2), b"\xff" * length
    assert list(frames.packets(frames.text(text.encode()))) == [text]
    assert list(frames.packets(frames.binary(data))) == [data]
    joined = frames.PING + frames.text(text.encode()) + frames.binary(data) + frames.message(b'2["x"]')
    assert list(frames.packets(joined)) == ["2", text, data, '42["x"]']


@given(st.lists(st.one_of(st.text(max_size=200), st.binary(max_size=200))))
def test_packets_of_joined_frames_are_those_that_were_joined(packets: list[str | bytes]) -> None:
    """Whatever they are."""
    joined = b"".join(frames.binary(p) if isinstance(p, bytes) else frames.text(p.encode()) for p in packets)
    assert list(frames.packets(joined)) == packets


@pytest.mark.parametrize(
    ("length", "head"),
    [
        (0, b"\x81\x00"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65535, b"\x81\x7e\xff\xff"),
        (65536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_a_length_is_told_in_the_fewest_bytes(length: int, head: bytes) -> None:
    """RFC 6455, 5.2: final, unmasked, and the shortest of three forms."""
    assert frames.text(b"x" * length) == head + b"x" * length


def test_a_packet_is_framed_as_what_it_carries() -> None:
    """Text as text, binary as binary."""
    assert frames.of(Packet(MESSAGE, "é")) == frames.text("4é".encode())
    assert frames.of(Packet(MESSAGE, b"\x00")) == frames.binary(b"\x00")
    assert frames.close(1001) == b"\x88\x02\x03\xe9"
    assert frames.pong(b"x") == b"\x8a\x01x"
