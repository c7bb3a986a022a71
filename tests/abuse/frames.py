"""Frames that RFC 6455 or the edge does not take, from somebody who was let in."""

import zlib
from typing import Final

from tests.abuse.rows import MIB, Row, Send, last, named, packets
from tests.abuse.stranger import Stranger
from tests.conformance.raw import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, closing, frame

_MOST: Final = 64 * 1024
_PACKET: Final = b'421["leave",{"room":"r"}]'


def _then_hangs_up(data: bytes) -> Send:
    """Sends half of something, and nothing more ever."""

    async def send(stranger: Stranger) -> str:
        async with stranger.socket() as socket:
            socket.send(data)
            socket.line.hang_up()
            return await socket.end()

    return send


def _raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)


ROWS: Final = [
    *named(
        {
            "an empty text": (packets(frame(TEXT)), "closed 1000"),
            "an empty binary": (packets(frame(BINARY)), "closed 1000"),
            "binary out of nowhere": (packets(frame(BINARY, b"\x00\x01")), "closed 1000"),
            "opcode 3": (packets(frame(3, b"x")), "closed 1002"),
            "opcode 7": (packets(frame(7, b"x")), "closed 1002"),
            "opcode 11": (packets(frame(11)), "closed 1002"),
            "opcode 15": (packets(frame(15)), "closed 1002"),
            "truncated in its head": (_then_hangs_up(frame(TEXT, _PACKET)[:1]), "ended"),
            "truncated in its mask": (_then_hangs_up(frame(TEXT, _PACKET)[:4]), "ended"),
            "truncated in its payload": (_then_hangs_up(frame(TEXT, _PACKET)[:-1]), "ended"),
            "truncated in a long length": (_then_hangs_up(b"\x81\xff\x00\x00\x00"), "ended"),
            "not masked": (packets(frame(TEXT, _PACKET, masked=False)), "closed 1002"),
            "not masked behind a good one": (
                packets(frame(TEXT, _PACKET) + frame(TEXT, _PACKET, masked=False)),
                "ok, closed 1002",
            ),
            "RSV1": (packets(frame(TEXT, _PACKET, reserved=4)), "closed 1002"),
            "RSV2": (packets(frame(TEXT, _PACKET, reserved=2)), "closed 1002"),
            "RSV3": (packets(frame(TEXT, _PACKET, reserved=1)), "closed 1002"),
            "all bits set": (packets(b"\xff" * 64), "closed 1002"),
            "bad UTF-8": (packets(frame(TEXT, b'421["leave",{"room":"\xff"}]')), "closed 1007"),
            "overlong UTF-8": (packets(frame(TEXT, b"42\xc0\xaf")), "closed 1007"),
            "surrogates in UTF-8": (packets(frame(TEXT, b"42\xed\xa0\x80")), "closed 1007"),
            "UTF-8 beyond Unicode": (packets(frame(TEXT, b"42\xf4\x90\x80\x80")), "closed 1007"),
            "UTF-8 cut at the end": (packets(frame(TEXT, b"42\xe2\x82")), "closed 1007"),
            "64 KiB and one": (packets(frame(TEXT, b"4" * (_MOST + 1))), "closed 1009"),
            "64 KiB and one in two fragments": (
                packets(frame(TEXT, b"4" * _MOST, final=False), frame(CONTINUATION, b"4")),
                "closed 1009",
            ),
            "64 KiB exactly": (
                packets(frame(TEXT, b'421["leave",{"room":"' + b"r" * (_MOST - 24) + b'"}]')),
                "invalid, open",
            ),
            "a length of 2^63 - 1": (packets(b"\x81\xff\x7f" + b"\xff" * 7 + b"mask"), "closed 1009"),
            "a length with its highest bit": (packets(b"\x81\xff\xff" + b"\xff" * 7 + b"mask"), "closed 1009"),
            "a ping of 126 bytes": (packets(frame(PING, b"x" * 126)), "closed 1002"),
            "a ping in fragments": (packets(frame(PING, b"x", final=False)), "closed 1002"),
            "a pong nobody asked for": (packets(frame(PONG, b"x")), "open"),
            "a continuation of nothing": (packets(frame(CONTINUATION, b"x")), "closed 1002"),
            "a message within a message": (packets(frame(TEXT, b"4", final=False), frame(TEXT, b"4")), "closed 1002"),
            "a close of one byte": (last(frame(CLOSE, b"\x03")), "closed 1002"),
            "a close with a code for local use": (last(closing(1006)), "closed 1002"),
            "a close with bad UTF-8": (last(closing(1000, b"\xff")), "closed 1007"),
            "a close in the middle of a message": (
                last(frame(TEXT, b"4", final=False) + closing(1000)),
                "closed 1000",
            ),
            "packets behind a close": (last(closing(1001) + frame(TEXT, _PACKET)), "closed 1001"),
            "a compressed frame that was never agreed on": (
                packets(frame(TEXT, _raw_deflate(b"4" * 1000), reserved=4)),
                "closed 1002",
            ),
            "HTTP in a WebSocket": (packets(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "closed 1002"),
            "TLS in a WebSocket": (
                packets(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 32),
                "closed 1002",
            ),
        }
    ),
    Row(
        "a deflate bomb",
        packets(frame(TEXT, _raw_deflate(b"4" * (40 * MIB)), reserved=4)),
        "closed 1002",
    ),
    Row(
        "fragments without end",
        packets(frame(TEXT, b"4", final=False), *[frame(CONTINUATION, b"4" * 1024, final=False)] * 10_000),
        "closed 1009",
    ),
]
