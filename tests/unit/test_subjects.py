"""Subjects: an id fills one token, and can never change the shape of the subject around it."""

import contextlib
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.test_ids import good_ids
from wire import codec, headers, subjects
from wire.messages import ChatMessage, GetPage, RoomEvent, StoredMessage, Typing, User

KINDS = ("message", subjects.TYPING, subjects.EVENT)
HARMFUL = ["", "a.b", "*", ">", "a b", "a\n", "é", "a" * 65, "a\0", "$x"]


def matches(pattern: str, subject: str) -> bool:
    """Whether a NATS subscription to `pattern` gets what is published to `subject`."""
    wanted, tokens = pattern.split("."), subject.split(".")
    for number, each in enumerate(wanted):
        if each == ">":
            return len(tokens) > number
        if number >= len(tokens) or each not in {"*", tokens[number]}:
            return False
    return len(wanted) == len(tokens)


@settings(deadline=None)
@given(good_ids)
def test_a_stored_message_goes_to_its_room(room: str) -> None:
    """Any room's messages are captured by the stream, under exactly four tokens, and say their room again."""
    subject = subjects.stored_message(room)
    assert subject.split(".") == ["chat", "room", room, "message"]
    assert matches(subjects.STORED_MESSAGES, subject)
    assert subjects.room_of_stored(subject) == room


@settings(deadline=None)
@given(good_ids, st.sampled_from(KINDS))
def test_interest_in_a_room_covers_all_that_is_live_in_it(room: str, kind: str) -> None:
    """What is published to a room's members has four tokens, no wildcard, and reaches who listens to the room."""
    subject = subjects.live(room, kind)
    assert subject.split(".") == ["live", "room", room, kind]
    assert matches(subjects.live_interest(room), subject)


@settings(deadline=None)
@given(good_ids, good_ids, st.sampled_from(KINDS))
def test_interest_in_a_room_covers_no_other_room(room: str, other: str, kind: str) -> None:
    """A gateway without members of a room hears nothing of it."""
    assert matches(subjects.live_interest(room), subjects.live(other, kind)) == (room == other)


@settings(deadline=None)
@given(good_ids)
def test_the_stream_republishes_to_the_room_members(room: str) -> None:
    """The republish mapping, with the first wildcard of the stored subject filled in, is the live subject."""
    republished = subjects.REPUBLISHED_MESSAGES.replace("{{wildcard(1)}}", room)
    assert republished == subjects.live(room, "message")
    assert matches(subjects.live_interest(room), republished)


@settings(deadline=None)
@given(good_ids, st.sampled_from(KINDS))
def test_live_subjects_never_reach_the_stream(room: str, kind: str) -> None:
    """What is never stored cannot be captured by mistake, and a republished message is not stored again."""
    assert not matches(subjects.STORED_MESSAGES, subjects.live(room, kind))


@pytest.mark.parametrize("harmful", HARMFUL)
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (ChatMessage, "id"),
        (Typing, "user"),
        (RoomEvent, "user"),
        (RoomEvent, "name"),
        (GetPage, "room"),
        (StoredMessage, "room"),
        (StoredMessage, "id"),
        (User, "id"),
    ],
)
def test_types_keep_harmful_ids_out(kind: type[msgspec.Struct], name: str, harmful: str) -> None:
    """No decoded message carries an id from which a subject could be built that is not one room's."""
    author = {"id": "u", "display_name": "U"}
    good = {"id": "i", "user": "u", "name": "n", "room": "r", "from": author, "body": "b", "ts": 1, "seq": 1}
    good |= {"prev": 0, "active": True, "origin": "c", "data": None, "limit": 1, "display_name": "U"}
    decoder = codec.Decoder(kind)
    decoder.decode(msgspec.json.encode(good))
    with pytest.raises(codec.WireError):
        decoder.decode(msgspec.json.encode({**good, name: harmful}))


@settings(deadline=None)
@given(st.tuples(good_ids, good_ids, good_ids), st.tuples(good_ids, good_ids, good_ids))
def test_message_ids_differ_when_anything_does(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    """The same id by another user or in another room is another message; the same again is the same."""
    assert (headers.message_id(*one) == headers.message_id(*other)) == (one == other)


@settings(deadline=None)
@given(good_ids, good_ids)
def test_message_ids_do_not_depend_on_where_a_name_ends(left: str, right: str) -> None:
    """Moving a character from one part to the next makes another message: parts do not run into each other."""
    whole = left + right
    ids = {headers.message_id(whole[:cut], whole[cut:], "m") for cut in range(1, len(whole))}
    assert len(ids) == len(whole) - 1


def test_position_is_read_from_the_stream_headers() -> None:
    """Sequence, the one before, and when; a message that the stream did not republish has none."""
    before = b"NATS/1.0\r\nNats-Msg-Id: x\r\nNats-Time-Stamp: 2026-01-01T00:01:02.345678901Z\r\n"
    stored_at = datetime(2026, 1, 1, 0, 1, 2, 345679, tzinfo=UTC).timestamp()
    usual = b"NATS/1.0\r\nNats-Sequence: 7\r\nNats-Time-Stamp: 2026-01-01T00:01:02.345678901Z\r\n"
    unusual = before + b"Nats-Sequence: 7\r\nNats-Last-Sequence:0\r\n\r\n"
    for block in (usual + b"Nats-Last-Sequence: 0\r\n\r\n", unusual):
        read = headers.position(block)
        assert (read.seq, read.prev) == (7, 0)
        assert read.stored_at == pytest.approx(stored_at)
    with pytest.raises(KeyError):
        headers.position(b"")
    with pytest.raises(KeyError):
        headers.position(before + b"Nats-Sequence: 7\r\n\r\n")
    with pytest.raises(ValueError, match="time"):
        headers.position(b"NATS/1.0\r\nNats-Sequence: 7\r\nNats-Last-Sequence: 0\r\nNats-Time-Stamp: time\r\n\r\n")
    with pytest.raises(ValueError, match="x"):
        headers.position(before + b"Nats-Sequence: x\r\nNats-Last-Sequence: 0\r\n\r\n")
    with pytest.raises(ValueError, match="not found"):
        headers.position(before + b"Nats-Sequence: 7")


def test_a_publish_is_identified_by_one_header() -> None:
    """The whole block, as it goes over the wire."""
    assert headers.identified("abc") == b"NATS/1.0\r\nNats-Msg-Id: abc\r\n\r\n"


def test_a_publish_may_say_how_long_it_is_kept() -> None:
    """Whole seconds, as nats-server wants them."""
    assert headers.kept_for(640) == b"NATS/1.0\r\nNats-TTL: 640\r\n\r\n"


_fields = st.builds(
    b"\r\n%b:%b%b".__mod__,
    st.tuples(
        st.sampled_from([b"Nats-Sequence", b"Nats-Last-Sequence", b"Nats-Time-Stamp", b"X"]),
        st.sampled_from([b" ", b"", b"\t"]),
        st.one_of(
            st.binary(max_size=30),
            st.sampled_from([b"7", b"-1", b"9" * 5000, b"2026-01-01T00:00:00.5Z", b"0000-00-00T00:00:0Z", b"1e400"]),
        ),
    ),
)


@settings(deadline=None)
@given(st.one_of(st.binary(), st.lists(_fields, max_size=6).map(lambda each: b"NATS/1.0%b\r\n\r\n" % b"".join(each))))
def test_any_headers_are_a_position_or_an_error_that_is_expected(block: bytes) -> None:
    """`KeyError` or `ValueError`: whoever relays counts it, and goes on."""
    with contextlib.suppress(KeyError, ValueError):
        headers.position(block)
