"""The codec: whatever the bytes are, the answer is a message or a `WireError`."""

from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.contract.examples import FULL, message_types
from wire import codec
from wire.accounts import Keys
from wire.live import GatewayLive, RoomLive, UserLive
from wire.messages import ChatMessage, Message, Refused

DECODERS: list[codec.Decoder[Any]] = [codec.Decoder(each) for each in message_types()]
DECODERS += [codec.Decoder(each) for each in (RoomLive, UserLive, GatewayLive)]  # type: ignore[arg-type] # unions
CHAT = b'{"type":"message","id":"m","from":{"id":"u","display_name":"U"},"body":%s,"ts":%s,"data":%s}'
KEYS = b'{"type":"auth.keys","keys":[{"a":%s}]}'


def refused(decoder: codec.Decoder[Any], data: bytes) -> bool:
    """Whether `data` is refused; any exception but `WireError` fails the test."""
    try:
        decoder.decode(data)
    except codec.WireError:
        return True
    return False


@settings(deadline=None)
@given(st.binary(max_size=200))
@example(b"")
@example(b"\xef\xbb\xbf{}")
@example(b"\x00")
@example(b"{}{}")
def test_garbage_is_a_wire_error(data: bytes) -> None:
    """Random bytes are no message of any type, and nothing but `WireError` comes out."""
    assert all(refused(each, data) for each in DECODERS if not _is_empty_request(each, data))


def _is_empty_request(decoder: codec.Decoder[Any], data: bytes) -> bool:
    # A message without required fields accepts any JSON object.
    try:
        return not msgspec.structs.fields(decoder.decode(data))
    except codec.WireError:
        return False


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(json_values, st.sampled_from(FULL), st.data())
def test_any_json_in_any_field_is_a_message_or_a_wire_error(
    value: Any, message: Message, data: st.DataObject
) -> None:
    """A field of the wrong type or range never raises anything else, whichever field it is."""
    fields = msgspec.json.decode(codec.encode(message))
    fields[data.draw(st.sampled_from(sorted(fields)))] = value
    refused(codec.Decoder(type(message)), msgspec.json.encode(fields))


@settings(deadline=None)
@given(st.sampled_from(FULL), st.data())
def test_a_damaged_message_is_a_message_or_a_wire_error(message: Message, data: st.DataObject) -> None:
    """One byte changed, anywhere, never raises anything else; one byte missing at the end is always noticed."""
    encoded = codec.encode(message)
    place = data.draw(st.integers(0, len(encoded) - 1))
    damaged = encoded[:place] + data.draw(st.binary(min_size=1, max_size=1)) + encoded[place + 1 :]
    refused(codec.Decoder(type(message)), damaged)
    assert refused(codec.Decoder(type(message)), encoded[:-1])


@pytest.mark.parametrize(
    "data",
    [
        CHAT % (b'"\\ud800"', b"1", b"1"),
        CHAT % (b'"\\udc00x"', b"1", b"1"),
        CHAT % (b'"\xff"', b"1", b"1"),
        CHAT % (b'"\xed\xa0\x80"', b"1", b"1"),
        CHAT % (b'"\xc0\xaf"', b"1", b"1"),
        CHAT % (b'"x', b"1", b"1"),
        CHAT % (b'"\n"', b"1", b"1"),
        CHAT % (b'"x"', b"NaN", b"1"),
        CHAT % (b'"x"', b"Infinity", b"1"),
        CHAT % (b'"x"', b"-1", b"1"),
        CHAT % (b'"x"', b"1.5", b"1"),
        CHAT % (b'"x"', b"1e400", b"1"),
        CHAT % (b'"x"', b"9" * 5000, b"1"),
        CHAT % (b'"x"', b"1", b"NaN"),
        CHAT % (b'"x"', b"1", b"tru"),
        CHAT % (b'"x"', b"1", b"[1,]"),
        CHAT % (b'"x"', b"1", b""),
        CHAT % (b'"x"', b"1", b"[" * 100_000 + b"]" * 100_000),
        CHAT % (b'"x"', b"1", b'1,"unknown":' + b"[" * 100_000),
        CHAT % (b'"x"', b"1", b'1,"unknown":' + b'{"a":' * 100_000),
    ],
    ids=lambda data: repr(data[60:100]),
)
def test_what_is_not_quite_json_is_refused(data: bytes) -> None:
    """Half surrogates, invalid UTF-8, NaN, numbers out of range, broken or bottomless nesting."""
    assert not refused(codec.Decoder(ChatMessage), CHAT % (b'"x"', b"1", b"1"))
    assert refused(codec.Decoder(ChatMessage), data)


@pytest.mark.parametrize(
    "value",
    [b"1e400", b"9" * 5000, b'"\\ud800"', b'"\xff"', b"NaN", b"[" * 50_000 + b"]" * 50_000, b'{"a":' * 50_000],
    ids=lambda value: repr(value[:10]),
)
def test_untyped_values_are_checked_too(value: bytes) -> None:
    """Where the contract takes any JSON and decodes it, it takes no more than JSON."""
    assert not refused(codec.Decoder(Keys), KEYS % b"1")
    assert refused(codec.Decoder(Keys), KEYS % value)


@pytest.mark.parametrize(
    "data",
    [
        b'{"type":"hunter2","code":"invalid","message":"x"}',
        b'{"type":"refused","code":"hunter2","message":"x"}',
        b'{"type":"x\' - at `$.hunter2`"}',
        b'{"type":"refused","code":"x - at `hunter2","message":"x"}',
        b'{"type":"refused","code":"\\n\\nhunter2\\n","message":"x"}',
        b'{"type":"refused","code":"invalid","message":["hunter2"]}',
        b'{"type":"refused","code":"invalid","message":"x","retry_after":"hunter2"}',
        b"hunter2",
    ],
)
def test_an_error_never_repeats_the_bytes(data: bytes) -> None:
    """What was sent may be a secret, or huge: the error says what is wrong with it, and no more."""
    with pytest.raises(codec.WireError) as caught:
        codec.Decoder(Refused).decode(data)
    assert str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
