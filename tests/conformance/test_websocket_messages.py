"""RFC 6455: messages in fragments, and text that is UTF-8 or is not. See `rfc6455`."""

from typing import Final

import pytest

from tests.conformance.raw import BINARY, PING, PONG, TEXT, Endpoint, frame
from tests.conformance.rfc6455 import (
    INVALID,
    MOST,
    Frames,
    Writes,
    answered,
    begin,
    last,
    part,
    refused,
    separately,
    together,
)


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([begin(b"4one"), last(b"two")], [(TEXT, b"4onetwo")]),
        ([begin(b"one", BINARY), last(b"two")], [(BINARY, b"onetwo")]),
        ([begin(b"4"), part(b"a"), part(b"b"), last(b"c")], [(TEXT, b"4abc")]),
        ([begin(b""), part(b""), last(b"4x")], [(TEXT, b"4x")]),
        ([begin(b"4x"), part(b""), last(b"")], [(TEXT, b"4x")]),
        ([begin(b"", BINARY), last(b"")], [(BINARY, b"")]),
        ([begin(b"4one"), frame(PING, b"p"), last(b"two")], [(PONG, b"p"), (TEXT, b"4onetwo")]),
        ([begin(b""), frame(PING), last(b"4x")], [(PONG, b""), (TEXT, b"4x")]),
        ([begin(b"4"), frame(PONG, b"p"), part(b"a"), frame(PING, b"q"), last(b"b")], [(PONG, b"q"), (TEXT, b"4ab")]),
        ([begin(b"4x" * 20_000), part(b"y" * 20_000), last(b"z")], [(TEXT, b"4x" * 20_000 + b"y" * 20_000 + b"z")]),
        ([begin(b"4" + b"x" * (MOST - 2)), last(b"z")], [(TEXT, b"4" + b"x" * (MOST - 2) + b"z")]),
        ([begin(b"4")] + [part(b"x")] * 500 + [last(b"")], [(TEXT, b"4" + b"x" * 500)]),
    ],
)
def test_fragments_are_one_message(echo: Endpoint, writes: Writes, frames: list[bytes], expected: Frames) -> None:
    """Empty ones among them; control frames come through at once."""
    answered(echo, writes, frames, expected)


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([last(b"4x")], []),
        ([last(b"")], []),
        ([part(b"4x"), last(b"y")], []),
        ([begin(b"4x"), last(b"y"), last(b"z")], [(TEXT, b"4xy")]),
        ([begin(b"4x"), last(b"y"), part(b"z")], [(TEXT, b"4xy")]),
        ([begin(b"4x"), frame(TEXT, b"4y")], []),
        ([begin(b"4x"), frame(BINARY, b"y")], []),
        ([begin(b"4x"), begin(b"4y")], []),
        ([begin(b"4x"), part(b"y"), begin(b"z", BINARY)], []),
        ([begin(b""), frame(TEXT, b"4y")], []),
        ([begin(b""), frame(BINARY, b"y"), last(b"")], []),
        ([begin(b"4x"), frame(PING, b"p"), frame(TEXT, b"4y")], [(PONG, b"p")]),
    ],
)
def test_fragments_out_of_order_are_refused(
    echo: Endpoint, writes: Writes, frames: list[bytes], expected: Frames
) -> None:
    """A continuation of nothing, and a message within another one."""
    refused(echo, writes, frames, 1002, expected)


# --- UTF-8 ----------------------------------------------------------------------------------------------------------

VALID: Final = [
    "κόσμε",
    "Hello-µ@ßöäüàá-UTF-8!!",
    "\0",
    "\x7f",
    "\x80",
    "\u07ff",
    "\u0800",
    "\ud7ff",
    "\ue000",
    "\ufffd",
    "\ufffe",
    "\uffff",
    "\ufdd0",
    "\ufeff",
    "\U00010000",
    "\U0001fffe",
    "\U0010fffe",
    "\U0010ffff",
    "𝕳ä€\0x" * 50,
]


def cut(payload: bytes, every: int) -> list[bytes]:
    """The frames of a text message in parts, within code points too."""
    parts = [payload[start : start + every] for start in range(0, len(payload), every)]
    first, *rest = parts
    return [begin(first), *map(part, rest), last(b"")]


@pytest.mark.parametrize("every", [0, 1, 2, 3])
@pytest.mark.parametrize("text", VALID, ids=ascii)
def test_valid_text_is_echoed(echo: Endpoint, text: str, every: int) -> None:
    """Noncharacters too; also when a code point is in several frames."""
    payload = b"4" + text.encode()
    answered(echo, separately, cut(payload, every) if every else [frame(TEXT, payload)], [(TEXT, payload)])


@pytest.mark.parametrize("every", [0, 1, 2, 3])
@pytest.mark.parametrize("payload", INVALID, ids=ascii)
def test_invalid_text_is_refused(echo: Endpoint, payload: bytes, every: int) -> None:
    """With 1007, wherever in a message it is; the same bytes are welcome as binary."""
    for text in (b"4" + payload, b"4valid " + payload + b" valid"):
        refused(echo, separately, cut(text, every) if every else [frame(TEXT, text)], 1007)
    answered(echo, together, [frame(BINARY, payload)], [(BINARY, payload)])
