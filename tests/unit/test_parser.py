"""Frames from clients: whatever the bytes are, and however the network cuts them, they mean the same."""

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.gateway.edge.parser import StrictParser, is_one_whole_frame
from tests.conformance.raw import BINARY, CONTINUATION, PING, TEXT, closing, frame

MOST = 200
_frames = st.builds(
    frame,
    st.sampled_from([CONTINUATION, TEXT, BINARY, PING, 3, 8, 11]),
    st.binary(max_size=MOST + 1),
    final=st.booleans(),
    reserved=st.sampled_from([0, 0, 0, 0, 1, 4]),
    masked=st.sampled_from([True, True, True, False]),
)
_streams = st.lists(st.one_of(_frames, _frames, st.binary(max_size=20)), max_size=6).map(b"".join)
_cuts = st.lists(st.integers(1, 60), min_size=1, max_size=8)


class _Target:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []

    def message(self, payload: str | bytes) -> None:
        self.told.append(("message", payload))

    def pinged(self, payload: bytes) -> None:
        self.told.append(("pinged", payload))

    def close_requested(self, code: int) -> None:
        self.told.append(("close", code))

    def broken(self, code: int) -> None:
        self.told.append(("broken", code))


def parsed(stream: bytes, cuts: list[int]) -> list[tuple[str, Any]]:
    """What `stream` comes to, read in pieces of these sizes over and over; up to the first error."""
    parser, target = StrictParser(MOST), _Target()
    at, turn = 0, 0
    while at < len(stream) and ("broken" not in [each for each, _ in target.told]):
        size = cuts[turn % len(cuts)]
        parser.feed(stream[at : at + size], target)
        at, turn = at + size, turn + 1
    return target.told


def messages(told: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """All but which of several errors was seen: that may depend on how much had come."""
    return [(what, None if what == "broken" else value) for what, value in told]


@settings(deadline=None, max_examples=300)
@given(_streams, _cuts)
@example(frame(TEXT, b"a", final=False) + frame(CONTINUATION, b"b"), [1])
@example(b"\x81\xff" + b"\xff" * 12, [3])
def test_any_bytes_mean_the_same_however_they_are_cut(stream: bytes, cuts: list[int]) -> None:
    """Messages, pings and closes come in their order, and at most one error, which is the last."""
    whole = parsed(stream, [len(stream) or 1])
    assert messages(parsed(stream, cuts)) == messages(whole)
    assert all(what != "broken" for what, _ in whole[:-1])


@settings(deadline=None)
@given(_streams, _cuts)
def test_nothing_larger_than_the_bound_is_told(stream: bytes, cuts: list[int]) -> None:
    """However many fragments it comes in."""
    for what, value in parsed(stream, cuts):
        if what == "message":
            assert len(value if isinstance(value, bytes) else value.encode()) <= MOST


@settings(deadline=None)
@given(st.one_of(_frames, st.binary(max_size=300)), st.binary(max_size=4))
def test_one_whole_frame_is_told_from_everything_else(data: bytes, more: bytes) -> None:
    """A parser that is fed one keeps nothing of it, so that others can use it."""
    if is_one_whole_frame(data):
        assert not more or not is_one_whole_frame(data + more)
        assert not is_one_whole_frame(data[:-1])


@given(st.integers(0, 0xFFFF))
def test_any_code_of_a_close_is_told(code: int) -> None:
    """As it is, or as an error of the protocol."""
    ((what, told),) = parsed(closing(code), [100])
    assert what in {"close", "broken"}
    assert told in {code, 1002}
