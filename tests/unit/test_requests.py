"""What clients ask: fields, bounds, and what no client may send."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import Raw

from services.gateway.requests import (
    AnyEvent,
    GetHistory,
    Join,
    Leave,
    SendEvent,
    SendMessage,
    SetTyping,
    page_request,
    why_refused,
)
from tests.unit.test_codec import json_values
from wire import codec
from wire.errors import ErrorCode, ParleyError
from wire.messages import GetPage

SEQ_WRONG = [-1, 1.5, True, "1", [], {}]
BOOL_WRONG = [0, 1, "true", None, [], {}]
TEXT_WRONG: list[Any] = [1, True, None, [], {}]
ID_WRONG = [*TEXT_WRONG, "", "a.b", "*", ">", "a b", "a\n", "é", "a" * 65]
GOOD: dict[type[msgspec.Struct], dict[str, Any]] = {
    Join: {"room": "r", "after": 1},
    Leave: {"room": "r"},
    SendMessage: {"room": "r", "id": "m", "body": "b", "data": {"a": 1}},
    SetTyping: {"room": "r", "active": True},
    SendEvent: {"room": "r", "name": "n", "data": None},
    GetHistory: {"room": "r", "before": 1, "limit": 1},
}
WRONG: list[tuple[type[msgspec.Struct], str, list[Any]]] = [
    *((kind, "room", ID_WRONG) for kind in GOOD),
    (Join, "after", SEQ_WRONG),
    (SendMessage, "id", ID_WRONG),
    (SendMessage, "body", TEXT_WRONG),
    (SetTyping, "active", BOOL_WRONG),
    (SendEvent, "name", ID_WRONG),
    (GetHistory, "before", SEQ_WRONG),
    (GetHistory, "after", SEQ_WRONG),
    (GetHistory, "limit", [0, -1, 201, 1.5, True, "1", None, [], {}]),
]
REQUIRED = {kind: [each.name for each in msgspec.structs.fields(kind) if each.required] for kind in GOOD}


def decoded(kind: type[msgspec.Struct], fields: Any) -> msgspec.Struct:
    """`fields` as JSON, decoded as `kind`."""
    return codec.Decoder(kind).decode(msgspec.json.encode(fields))


@pytest.mark.parametrize("kind", GOOD, ids=lambda kind: kind.__name__)
def test_good_requests_are_read(kind: type[msgspec.Struct]) -> None:
    """Each as the contract writes it, with only what is required, and with fields that a newer client may add."""
    least = {name: GOOD[kind][name] for name in REQUIRED[kind]}
    assert decoded(kind, {**least, "new": [1]}) == decoded(kind, least)
    read = msgspec.structs.asdict(decoded(kind, GOOD[kind]))
    for name, value in GOOD[kind].items():
        assert (json.loads(bytes(read[name])) if isinstance(read[name], Raw) else read[name]) == value


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [(kind, name, value) for kind, name, values in WRONG for value in values],
    ids=lambda each: each.__name__ if isinstance(each, type) else repr(each)[:12],
)
def test_fields_of_the_wrong_type_or_range_are_refused(kind: type[msgspec.Struct], name: str, value: Any) -> None:
    """Nothing is converted on the way: a bool is no number, a number no text, and a float no seq."""
    with pytest.raises(codec.WireError, match=name):
        decoded(kind, {**GOOD[kind], name: value})


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, names in REQUIRED.items() for name in names], ids=str
)
def test_required_fields_cannot_be_missing(kind: type[msgspec.Struct], name: str) -> None:
    """A request that lacks one is refused, and the field is named."""
    with pytest.raises(codec.WireError, match=name):
        decoded(kind, {each: value for each, value in GOOD[kind].items() if each != name})


@pytest.mark.parametrize("kind", GOOD, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("value", [None, [], "r", 1, True, [{"room": "r"}]])
def test_a_request_is_an_object(kind: type[msgspec.Struct], value: Any) -> None:
    """Whatever else JSON can be is refused."""
    with pytest.raises(codec.WireError):
        decoded(kind, value)


def test_a_page_has_one_end() -> None:
    """Before or after, or neither; both at once is invalid, also when they are 0."""
    for ends in ({}, {"before": 5}, {"after": 5}, {"after": 0}):
        assert page_request(GetHistory(room="r", **ends)) == GetPage(room="r", limit=50, **ends)
    for before, after in ((5, 1), (0, 0), (1, 5)):
        with pytest.raises(ParleyError) as caught:
            page_request(GetHistory(room="r", before=before, after=after))
        assert caught.value.code == ErrorCode.INVALID


@pytest.mark.parametrize("limit", [1, 200])
def test_the_bounds_of_a_page_are_allowed(limit: int) -> None:
    """A page has 1 to 200 messages; what history is asked for is what the client asked for."""
    request = codec.Decoder(GetHistory).decode(b'{"room":"r","limit":%d}' % limit)
    assert page_request(request) == GetPage(room="r", limit=limit)


_events: codec.Decoder[AnyEvent] = codec.Decoder(AnyEvent)  # type: ignore[arg-type] # a union
_names = (
    st.sampled_from(["join", "leave", "message", "typing", "event", "history", "read", "", "connect"]) | st.text()
)
_texts = st.one_of(
    st.text(),
    st.tuples(_names, json_values).map(json.dumps),
    st.tuples(_names, st.fixed_dictionaries({"room": json_values, "id": json_values, "limit": json_values})).map(
        json.dumps
    ),
    json_values.map(json.dumps),
)


@settings(deadline=None, max_examples=300)
@given(_texts)
@example("")
@example("[")
@example("[]")
@example('["join"]')
@example('["join",{"room":"\\ud800"}]')
@example('["join",' + "[" * 50_000)
@example("[" * 50_000 + "]" * 50_000)
@example('["event",{"room":"r","name":"n","data":' + '{"a":' * 20_000)
def test_whatever_a_client_sends_is_an_event_or_can_be_refused(text: str) -> None:
    """And what it is told is never what it sent: that may be a secret, or huge."""
    try:
        assert isinstance(_events.decode(text), AnyEvent)
    except codec.WireError as error:
        name, why = why_refused(text, error)
        assert name in {"join", "leave", "message", "typing", "event", "history", "read", "unknown", None}
        assert 0 < len(why) < 200
