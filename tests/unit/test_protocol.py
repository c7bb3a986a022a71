"""The client contract's rules: bounds, shapes, and what no client may send."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from services.gateway import protocol
from services.gateway.protocol import Failed, GetHistory, Join, Leave, SendEvent, SendMessage, SetTyping
from wire import codec
from wire.errors import ErrorCode, ParleyError
from wire.messages import JSON_ABSENT, GetPage

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


def refused_body(body: str) -> ErrorCode:
    """The code with which `body` is refused."""
    with pytest.raises(ParleyError) as caught:
        protocol.check_body(body)
    return caught.value.code


def refused_data(data: bytes) -> ErrorCode:
    """The code with which `data` is refused."""
    with pytest.raises(ParleyError) as caught:
        protocol.check_data(Raw(data))
    return caught.value.code


# --- shapes ---------------------------------------------------------------------------------------------------------


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


# --- body and data --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["a", " ", "\0", "a" * 16384, "é" * 8192, "✓" * 5461 + "a", "🙂" * 4096])
def test_bodies_up_to_16_kib_are_fine(body: str) -> None:
    """Counted in bytes of UTF-8; 16384 is allowed."""
    protocol.check_body(body)


@pytest.mark.parametrize("body", ["a" * 16385, "é" * 8192 + "a", "✓" * 5461 + "ab", "🙂" * 4096 + "a", "a" * 10**6])
def test_larger_bodies_are_too_large(body: str) -> None:
    """One byte more is not, however few characters it has."""
    assert refused_body(body) == ErrorCode.TOO_LARGE


def test_an_empty_body_is_invalid() -> None:
    """There is nothing to say."""
    assert refused_body("") == ErrorCode.INVALID


@settings(deadline=None)
@given(st.text(st.sampled_from("aé✓🙂"), min_size=1, max_size=20), st.integers(800, 20000))
def test_only_the_bytes_of_a_body_count(text: str, times: int) -> None:
    """Whatever the mix of characters, the bound is that of the bytes on the wire."""
    body = (text * times)[:20000]
    if len(body.encode()) <= 16384:
        protocol.check_body(body)
    else:
        assert refused_body(body) == ErrorCode.TOO_LARGE


@pytest.mark.parametrize(
    "data",
    [
        b"null",
        b"0",
        b'""',
        b"[]",
        b' {"a" : 1} ',
        b"-9223372036854775808",
        b"18446744073709551615",
        b"1.7976931348623157e308",
        b"5e-324",
        b'"\\ud83d\\ude42"',
        b'"' + b"a" * 16382 + b'"',
        b"[" * 64 + b"]" * 64,
        b'{"a":' * 64 + b"1" + b"}" * 64,
        b'[{"a":' * 32 + b"1" + b"}]" * 32,
        b'"' + b"[{" * 200 + b'"',
        b"[" + b"[]," * 1000 + b"[]]",
        b"[[]," + b"[" * 63 + b"]" * 64,
    ],
    ids=lambda data: repr(data[:16]),
)
def test_any_json_within_bounds_is_carried(data: bytes) -> None:
    """16384 bytes and 64 levels are allowed; brackets in text and siblings are no levels."""
    protocol.check_data(Raw(data))


def test_absent_data_is_fine() -> None:
    """Data is optional."""
    protocol.check_data(JSON_ABSENT)


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 65 + b"]" * 65,
        b'{"a":' * 65 + b"1" + b"}" * 65,
        b'[{"a":' * 32 + b"[1]" + b"}]" * 32,
        b'{"flat":[],"deep":' + b"[" * 64 + b"]" * 64 + b"}",
        b"[" * 8000 + b"]" * 8000,
        b"[" * 8000,
        b'{"a":' * 3000,
        b"1e400",
        b"-1e400",
        b"[1e309]",
        b"9" * 5000,
        b'{"a":' + b"9" * 5000 + b"}",
        b"NaN",
        b"[Infinity]",
        b'"\\ud800"',
        b'{"\\udc00":1}',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'{"\xff":1}',
        b" ",
        b"{",
        b"[1,]",
        b"01",
        b"'a'",
        b"1 2",
        b'"\n"',
    ],
    ids=lambda data: repr(data[:16]),
)
def test_json_that_some_client_could_not_read_is_invalid(data: bytes) -> None:
    """65 levels, numbers out of range, half characters, and what is no JSON: found before it is stored."""
    assert refused_data(data) == ErrorCode.INVALID


@pytest.mark.parametrize(
    "data", [b'"' + b"a" * 16383 + b'"', b"1" + b" " * 16384, '"{}"'.format("é" * 8192).encode()]
)
def test_larger_data_is_too_large(data: bytes) -> None:
    """Counted in bytes, white space included."""
    assert refused_data(data) == ErrorCode.TOO_LARGE


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_garbage_data_is_refused_or_json(data: bytes) -> None:
    """What passes can be read by Python's own parser; nothing but `ParleyError` comes out."""
    try:
        protocol.check_data(Raw(data))
    except ParleyError:
        return
    if data:
        json.loads(data)


# --- pages and acknowledgements -------------------------------------------------------------------------------------


def test_a_page_has_one_end() -> None:
    """Before or after, or neither; both at once is invalid, also when they are 0."""
    for ends in ({}, {"before": 5}, {"after": 5}, {"after": 0}):
        assert protocol.page_request(GetHistory(room="r", **ends)) == GetPage(room="r", limit=50, **ends)
    for before, after in ((5, 1), (0, 0), (1, 5)):
        with pytest.raises(ParleyError) as caught:
            protocol.page_request(GetHistory(room="r", before=before, after=after))
        assert caught.value.code == ErrorCode.INVALID


@pytest.mark.parametrize("limit", [1, 200])
def test_the_bounds_of_a_page_are_allowed(limit: int) -> None:
    """A page has 1 to 200 messages; what history is asked for is what the client asked for."""
    request = codec.Decoder(GetHistory).decode(b'{"room":"r","limit":%d}' % limit)
    assert protocol.page_request(request) == GetPage(room="r", limit=limit)


@pytest.mark.parametrize("code", ErrorCode)
def test_a_failure_is_told_in_the_contracts_shape(code: ErrorCode) -> None:
    """`{ok: false, error: {code, message, retry_after?}}`, for every code there is."""
    told = msgspec.json.decode(msgspec.json.encode(Failed.of(ParleyError(code, "why", retry_after=2))))
    assert told == {"ok": False, "error": {"code": code.value, "message": "why", "retry_after": 2}}
    told = msgspec.json.decode(msgspec.json.encode(Failed.of(ParleyError(code, "why"))))
    assert told == {"ok": False, "error": {"code": code.value, "message": "why"}}


def test_acknowledgements_say_ok() -> None:
    """Each good acknowledgement has `ok: true` beside exactly its own fields."""
    replies: list[tuple[protocol.Done, dict[str, Any]]] = [
        (protocol.Done(), {}),
        (
            protocol.Joined(room="r", seq=3, missed=1, truncated=False),
            {"room": "r", "seq": 3, "missed": 1, "truncated": False},
        ),
        (protocol.Sent(seq=3, ts=4, duplicate=False), {"seq": 3, "ts": 4, "duplicate": False}),
        (protocol.HistoryPage(messages=[], more=False), {"messages": [], "more": False}),
    ]
    for reply, fields in replies:
        assert msgspec.json.decode(msgspec.json.encode(reply)) == {"ok": True, **fields}
