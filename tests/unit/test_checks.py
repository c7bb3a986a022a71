"""What a body may be, and the data that goes with it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from services.gateway.checks import check_body, check_data
from wire.errors import ErrorCode, ParleyError
from wire.messages import JSON_ABSENT


def refused_body(body: str) -> ErrorCode:
    """The code with which `body` is refused."""
    with pytest.raises(ParleyError) as caught:
        check_body(body)
    return caught.value.code


def refused_data(data: bytes) -> ErrorCode:
    """The code with which `data` is refused."""
    with pytest.raises(ParleyError) as caught:
        check_data(Raw(data))
    return caught.value.code


@pytest.mark.parametrize("body", ["a", " ", "\0", "a" * 16384, "é" * 8192, "✓" * 5461 + "a", "🙂" * 4096])
def test_bodies_up_to_16_kib_are_fine(body: str) -> None:
    """Counted in bytes of UTF-8; 16384 is allowed."""
    check_body(body)


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
        check_body(body)
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
    check_data(Raw(data))


def test_absent_data_is_fine() -> None:
    """Data is optional."""
    check_data(JSON_ABSENT)


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
        check_data(Raw(data))
    except ParleyError:
        return
    if data:
        json.loads(data)
