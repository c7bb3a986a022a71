"""The raw client of the benchmark: every frame is found, however the network cuts and glues them."""

import itertools

import pytest

from loadtests.bench.audience import Audience
from loadtests.bench.frames import MARK, PING, PingFinder
from loadtests.light.frames import FrameError, client_frame, split


def server_frame(payload: bytes) -> bytes:
    """As a server sends it."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


PAYLOADS = [b"2", b"", b'42["message",{"body":"^"}]', b"x" * 125, b"y" * 126, b"z" * 70_000, b"43[]"]


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 130, 1 << 20])
def test_frames_are_found_in_pieces_of_any_size(piece: int) -> None:
    """All payloads, in order, and nothing left."""
    data = b"".join(map(server_frame, PAYLOADS[:5] + PAYLOADS[6:]))
    found: list[bytes] = []
    rest = b""
    for start in range(0, len(data), piece):
        whole, rest = split(rest + data[start : start + piece])
        found += whole
    assert found == PAYLOADS[:5] + PAYLOADS[6:]
    assert rest == b""


def test_a_frame_with_a_long_length_is_found() -> None:
    """The eight byte form, with a frame after it."""
    assert split(server_frame(PAYLOADS[5]) + server_frame(b"2") + b"\x81") == ([PAYLOADS[5], b"2"], b"\x81")


def test_what_is_no_text_frame_is_an_error_and_a_close_frame_an_end() -> None:
    """Nothing is read as something else."""
    with pytest.raises(FrameError):
        split(b"\x82\x01x")
    assert split(server_frame(b"a") + b"\x88\x02\x03\xe8")[0] == [b"a"]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 300])
def test_a_clients_frame_is_masked_with_zero(size: int) -> None:
    """Masked as a server demands, and readable as it stands."""
    frame = client_frame(b"x" * size)
    assert frame[1] & 0x80
    assert frame.endswith(bytes(4) + b"x" * size)


@pytest.mark.parametrize("cut", list(itertools.product(range(1, 12), range(1, 12))))
def test_pings_and_marks_are_found_wherever_reads_are_cut(cut: tuple[int, int]) -> None:
    """Two messages around one ping, in three reads of any size: one ping, two marks."""
    message = server_frame(b'42["message",{"body":"^."}]')
    data = message + PING + message
    first = len(message) - 5 + cut[0]
    second = min(len(data), first + cut[1])
    finder, pings, marks = PingFinder(), 0, 0
    buffer = bytearray(b"\x81\x012" * 100)  # what another connection left there
    for piece in (data[:first], data[first:second], data[second:]):
        if piece:
            buffer[: len(piece)] = piece
            pings += finder.found(buffer, len(piece))
            marks += buffer.count(MARK, 0, len(piece))
    assert (pings, marks) == (1, 2)


def test_a_message_is_heard_when_the_last_member_has_it() -> None:
    """Not before, whoever is ahead; each once, in order."""
    heard: list[int] = []
    audience = Audience("r", 3, lambda each: heard.append(each.heard))
    for _ in range(3):
        audience.say()
    audience.moved(0, 3)
    audience.moved(0, 2)
    assert heard == []
    audience.moved(0, 1)
    assert heard == [1]
    audience.moved(1, 3)
    assert heard == [1, 2]
    audience.moved(2, 3)
    assert heard == [1, 2, 3]
    assert audience.excess == 0


def test_a_delivery_too_many_is_counted_as_such() -> None:
    """And moves nobody."""
    audience = Audience("r", 1)
    audience.say()
    audience.moved(0, 2)
    assert (audience.heard, audience.excess) == (0, 1)
