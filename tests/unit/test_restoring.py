"""Where a stream begins that takes the place of a lost one, and what a consumer's account is worth."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.js.api import ConsumerInfo, StreamState

from services.history.consumer import acknowledged_upto
from services.history.known import Known
from services.history.setup import first_seq_above

NOW = 1_790_000_000.0
MOST_A_SECOND = 1_000_000


@given(
    backed_up=st.integers(1, 10**12),
    age=st.floats(0, 10 * 365 * 86_400),
    rate=st.integers(0, MOST_A_SECOND),
)
def test_it_begins_above_all_that_came_since_the_backup(backed_up: int, age: float, rate: int) -> None:
    """However old it is, and however fast the stream took messages; and far below what JavaScript can count."""
    lost = backed_up + int(rate * age)
    first = first_seq_above(Known(backed_up, int((NOW - age) * 1000)), now=NOW)
    assert lost < first < 2**53


@pytest.mark.parametrize("newest_ts", [None, int(NOW * 1000) + 3_600_000], ids=["unknown", "of a clock ahead"])
def test_without_a_time_it_begins_a_second_above(newest_ts: int | None) -> None:
    """As an older version has left it, or a wrong clock."""
    assert first_seq_above(Known(500, newest_ts), now=NOW) == 500 + MOST_A_SECOND


def test_the_first_stream_begins_at_1() -> None:
    """There was none before, and nothing in history."""
    assert first_seq_above(Known(0, None), now=NOW) == 1


@pytest.mark.parametrize(
    ("first_seq", "floor", "acknowledged"),
    [(1, 0, 0), (1, 70, 70), (50, 49, 0), (50, 50, 50), (71, 70, 0), (1_000_000, 999_999, 0)],
    ids=["new", "persisted", "aged out unread", "one", "all aged out", "new, above a lost one"],
)
def test_what_left_the_stream_unread_was_not_acknowledged(first_seq: int, floor: int, acknowledged: int) -> None:
    """It moves the consumer's account all the same."""
    state = StreamState.from_response(
        {"messages": 1, "bytes": 1, "first_seq": first_seq, "last_seq": 70, "consumer_count": 1}
    )
    info = ConsumerInfo.from_response(
        {
            "name": "history",
            "stream_name": "MESSAGES",
            "config": {},
            "created": "2026-11-28T13:00:00Z",
            "ack_floor": {"consumer_seq": 1, "stream_seq": floor},
        }
    )
    assert acknowledged_upto(state, info) == acknowledged
