"""What can happen to bytes on their way."""

import random
from collections.abc import Callable
from typing import Final

Damage = Callable[[random.Random, bytes], bytes]


def _at(dice: random.Random, data: bytes) -> int:
    return dice.randrange(len(data) + 1)


def _flip(dice: random.Random, data: bytes) -> bytes:
    """Some bits are others."""
    flipped = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 3, 10))):
        flipped[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return bytes(flipped)


def _truncate(dice: random.Random, data: bytes) -> bytes:
    """The end is missing."""
    return data[: _at(dice, data)]


def _lose(dice: random.Random, data: bytes) -> bytes:
    """Something in the middle is missing."""
    start = _at(dice, data)
    return data[:start] + data[start + dice.choice((1, 2, 8, 64)) :]


def _double(dice: random.Random, data: bytes) -> bytes:
    """A piece comes several times."""
    start = _at(dice, data)
    piece = data[start : start + dice.choice((1, 4, 32, 512))]
    return data[:start] + piece * dice.choice((2, 2, 3, 50)) + data[start:]


def _insert(dice: random.Random, data: bytes) -> bytes:
    """Something else comes in between."""
    start = _at(dice, data)
    return (
        data[:start]
        + dice.choice((dice.randbytes(dice.randrange(1, 20)), b"\0", b"\r\n", b"\xff" * 9, b"\x1e"))
        + data[start:]
    )


def _lie(dice: random.Random, data: bytes) -> bytes:
    """A byte is one that lengths are made of."""
    place = dice.randrange(len(data))
    return data[:place] + dice.choice((b"\x00", b"\x7d", b"\x7e", b"\x7f", b"\xfe", b"\xff")) + data[place + 1 :]


def _turn(dice: random.Random, data: bytes) -> bytes:
    """The second half comes first."""
    start = _at(dice, data)
    return data[start:] + data[:start]


_DAMAGES: Final[tuple[Damage, ...]] = (_flip, _flip, _truncate, _lose, _double, _insert, _lie, _lie, _turn)


def damaged(dice: random.Random, data: bytes, *, chance: float = 0.5) -> bytes:
    """`data`, with some damage or none."""
    while data and dice.random() < chance:
        data = dice.choice(_DAMAGES)(dice, data)[: 1 << 18]
        chance /= 2
    return data


def pieces(dice: random.Random, data: bytes) -> list[bytes]:
    """`data` as the network may cut it: in one, or in several of which some are single bytes."""
    cuts = sorted({_at(dice, data) for _ in range(dice.choice((0, 0, 1, 3, 10)))})
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
