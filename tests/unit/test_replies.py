"""What acknowledges an event, in the contract's shape."""

from typing import Any

import msgspec
import pytest

from services.gateway.replies import Done, Failed, HistoryPage, Joined, Sent
from wire.errors import ErrorCode, ParleyError


@pytest.mark.parametrize("code", ErrorCode)
def test_a_failure_is_told_in_the_contracts_shape(code: ErrorCode) -> None:
    """`{ok: false, error: {code, message, retry_after?}}`, for every code there is."""
    told = msgspec.json.decode(msgspec.json.encode(Failed.of(ParleyError(code, "why", retry_after=2))))
    assert told == {"ok": False, "error": {"code": code.value, "message": "why", "retry_after": 2}}
    told = msgspec.json.decode(msgspec.json.encode(Failed.of(ParleyError(code, "why"))))
    assert told == {"ok": False, "error": {"code": code.value, "message": "why"}}


def test_acknowledgements_say_ok() -> None:
    """Each good acknowledgement has `ok: true` beside exactly its own fields."""
    replies: list[tuple[Done, dict[str, Any]]] = [
        (Done(), {}),
        (
            Joined(room="r", seq=3, missed=1, truncated=False),
            {"room": "r", "seq": 3, "missed": 1, "truncated": False},
        ),
        (Sent(seq=3, ts=4, duplicate=False), {"seq": 3, "ts": 4, "duplicate": False}),
        (HistoryPage(messages=[], more=False), {"messages": [], "more": False}),
    ]
    for reply, fields in replies:
        assert msgspec.json.decode(msgspec.json.encode(reply)) == {"ok": True, **fields}
