"""Each guard holds on the edge. Those that the stock stack lacks fail there: they are known to be able to."""

import pytest

from tests.guards import guards
from tests.guards.guards import Guard
from tests.guards.target import Edge, Stock, serving

MENDED: list[Guard] = [
    guards.the_name_disconnect,
    guards.the_name_connect,
    guards.no_connect,
    guards.no_connect_by_polling,
    guards.refused,
    guards.left_the_namespace,
    guards.undecodable(""),
    guards.undecodable("x"),
    guards.undecodable("4[[["),
    guards.undecodable("4"),
    guards.undecodable_by_polling("x"),
    guards.undecodable_by_polling("4[[["),
    guards.undecodable_by_polling("b"),
    guards.attachments_promised_without_number,
    guards.attachments_that_are_too_many,
    guards.attachments_that_are_too_large,
    guards.attachment_that_is_text,
    guards.attachment_that_was_not_announced,
    guards.fragments_without_end,
    guards.upgrade_without_probe,
    guards.upgrade_that_stops_half_way,
    guards.second_upgrade,
    guards.two_polls,
    guards.two_posts,
    guards.poll_that_hangs_up,
    guards.chunked_payload,
    guards.forged_host,
    guards.request_kept,
    guards.slow_websocket,
    guards.stalled_websocket,
    guards.slow_polling,
    guards.polling_that_leaves_the_rest,
    guards.slow_readers_together,
    guards.silent_connection,
    guards.request_line_in_drips,
    guards.headers_in_drips,
    guards.second_request_in_drips,
    guards.idle_connection,
    guards.payload_that_never_comes,
    guards.answer_that_nobody_reads,
    guards.unread_answers_before_a_handshake,
]
"""What the stock stack lacks."""

KEPT: list[Guard] = [
    guards.a_huge_frame,
    guards.bad_handshake("Sec-WebSocket-Version", "12"),
    guards.bad_handshake("Sec-WebSocket-Key", "bm9uc2Vuc2U="),
    guards.bad_handshake("Sec-WebSocket-Key", "!"),
    guards.packets_before_the_answer,
    guards.poll_after_the_end,
    guards.a_guessed_session,
    guards.a_payload_of_many_packets,
    guards.a_bomb,
    guards.too_much_head("GET /" + "x" * 9000 + " HTTP/1.1\r\n"),
    guards.too_much_head("GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + "x" * 9000 + "\r\n"),
    guards.too_much_head("GET / HTTP/1.1\r\nHost: x\r\n" + "".join(f"X-{n}: x\r\n" for n in range(200)) + "\r\n"),
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
