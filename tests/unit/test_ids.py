"""Identifiers: what may be called how, and what may never enter a subject."""

import re
import string

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wire.ids import Id, is_private_room

ALPHABET = string.ascii_letters + string.digits + "_-"
good_ids = st.text(ALPHABET, min_size=1, max_size=64)
_decoder = msgspec.json.Decoder(Id)


def accepts(text: str) -> bool:
    """Whether the type takes `text`, from JSON and from Python values alike."""
    try:
        _decoder.decode(msgspec.json.encode(text))
        from_json = True
    except msgspec.ValidationError:
        from_json = False
    try:
        msgspec.convert(text, Id)
        converted = True
    except msgspec.ValidationError:
        converted = False
    assert from_json == converted
    return from_json


@settings(deadline=None)
@given(good_ids)
def test_what_the_contract_allows_is_accepted(text: str) -> None:
    """1 to 64 letters, digits, dashes and underscores, in any order, are an id."""
    assert accepts(text)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
@example("a\n")
@example("a\r\n")
@example("\na")
@example("a\nb")
@example("\u0663")
@example("\u017f")
@example("\u212a")
def test_an_id_is_accepted_only_if_all_of_it_is_allowed(text: str) -> None:
    """No character outside the alphabet passes, at any place, in any script or line."""
    assert accepts(text) == (1 <= len(text) <= 64 and set(text) <= set(ALPHABET))


@settings(deadline=None)
@given(st.text(ALPHABET, max_size=63), st.integers(0, 63), st.characters(exclude_categories=["Cs"]))
def test_one_bad_character_spoils_an_id(text: str, place: int, character: str) -> None:
    """A single foreign character is found at the front, in the middle and at the end."""
    assert accepts(text[:place] + character + text[place:]) == (character in ALPHABET)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.b",
        ".",
        "*",
        ">",
        "a*",
        "a b",
        " a",
        "a ",
        "a\t",
        "a\n",
        "a\0",
        "é",
        "日",
        "🙂",
        "$SYS",
        "a/b",
        "a" * 65,
    ],
)
def test_what_would_harm_a_subject_is_refused(text: str) -> None:
    """Empty, dots, wildcards, white space, control characters, other scripts, and 65 characters."""
    assert not accepts(text)


def test_64_characters_are_the_most() -> None:
    """The bound itself is allowed."""
    assert accepts("a" * 64)


@pytest.mark.parametrize("value", [b"1", b"null", b"true", b"[]", b"{}", b'["a"]'])
def test_an_id_is_text(value: bytes) -> None:
    """Nothing else is converted to one."""
    with pytest.raises(msgspec.ValidationError):
        _decoder.decode(value)


@settings(deadline=None)
@given(good_ids)
def test_groups_and_direct_conversations_are_private(text: str) -> None:
    """Exactly the rooms whose id starts with g- or d- need membership."""
    assert is_private_room(text) == bool(re.match("[gd]-", text))
    assert is_private_room("g-" + text)
    assert is_private_room("d-" + text)


@pytest.mark.parametrize("room", ["g", "d", "G-1", "D-1", "gd-1", "x-g-1", "_g-1", "-g-"])
def test_other_rooms_are_public(room: str) -> None:
    """Looking like a private id is not being one."""
    assert not is_private_room(room)
