"""Each guard holds on the edge. Those that the stock stack lacks fail there: they are known to be able to."""

import pytest

from tests.guards import http_requests, kept, packets, slow_readers, transports
from tests.guards.guard import Guard
from tests.guards.target import Edge, Stock, serving

MENDED: list[Guard] = [
    packets.the_name_disconnect,
    packets.the_name_connect,
    packets.no_connect,
    packets.no_connect_by_polling,
    packets.refused,
    packets.left_the_namespace,
    packets.undecodable(""),
    packets.undecodable("x"),
    packets.undecodable("4[[["),
    packets.undecodable("4"),
    packets.undecodable_by_polling("x"),
    packets.undecodable_by_polling("4[[["),
    packets.undecodable_by_polling("b"),
    packets.attachments_promised_without_number,
    packets.attachments_that_are_too_many,
    packets.attachments_that_are_too_large,
    packets.attachment_that_is_text,
    packets.attachment_that_was_not_announced,
    packets.fragments_without_end,
    transports.upgrade_without_probe,
    transports.upgrade_that_stops_half_way,
    transports.second_upgrade,
    transports.two_polls,
    transports.two_posts,
    transports.poll_that_hangs_up,
    transports.chunked_payload,
    transports.forged_host,
    transports.request_kept,
    slow_readers.slow_websocket,
    slow_readers.stalled_websocket,
    slow_readers.slow_polling,
    slow_readers.polling_that_leaves_the_rest,
    slow_readers.polls_whose_answers_nobody_reads,
    slow_readers.slow_readers_together,
    http_requests.silent_connection,
    http_requests.request_line_in_drips,
    http_requests.headers_in_drips,
    http_requests.second_request_in_drips,
    http_requests.idle_connection,
    http_requests.payload_that_never_comes,
    http_requests.answer_that_nobody_reads,
    kept.unread_answers_before_a_handshake,
]
"""What the stock stack lacks."""

KEPT: list[Guard] = [
    packets.a_huge_frame,
    kept.bad_handshake("Sec-WebSocket-Version", "12"),
    kept.bad_handshake("Sec-WebSocket-Key", "bm9uc2Vuc2U="),
    kept.bad_handshake("Sec-WebSocket-Key", "!"),
    kept.packets_before_the_answer,
    kept.poll_after_the_end,
    kept.a_guessed_session,
    kept.a_payload_of_many_packets,
    kept.a_bomb,
    kept.too_much_head("GET /" + "x" * 9000 + " HTTP/1.1\r\n"),
    kept.too_much_head("GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + "x" * 9000 + "\r\n"),
    kept.too_much_head("GET / HTTP/1.1\r\nHost: x\r\n" + "".join(f"X-{n}: x\r\n" for n in range(200)) + "\r\n"),
]
"""What it has, and the edge has to keep."""


def _name(guard: Guard) -> str:
    return getattr(guard, "__qualname__", "").split(".")[0]


@pytest.mark.parametrize("guard", MENDED + KEPT, ids=_name)
async def test_the_edge_is_guarded(guard: Guard) -> None:
    """What the guard says is so."""
    with serving(Edge()) as target:
        await guard(target)


@pytest.mark.parametrize("guard", MENDED, ids=_name)
async def test_the_stock_stack_is_not(guard: Guard) -> None:
    """What it says is not so there: it tells one from the other."""
    with serving(Stock()) as target, pytest.raises(AssertionError):
        await guard(target)
