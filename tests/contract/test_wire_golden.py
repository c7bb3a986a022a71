"""The bytes of the contract are those of the golden files.

If a test here fails and the change is meant: `python -m tests.contract.golden_files`, and read the diff.
"""

from typing import Any

import msgspec
import pytest

from tests.contract.examples import FULL, LEAST, live_types, message_types
from tests.contract.golden_files import GOLDEN, contract_files, message_files
from wire import codec
from wire.live import RoomLive
from wire.messages import JSON_ABSENT, ChatMessage, Message

EXAMPLES = [pytest.param(name, example, id=name) for name, example in message_files().items()]
RENEW = "if this change of the contract is meant: python -m tests.contract.golden_files"


def golden(name: str) -> bytes:
    """The message that a golden file holds."""
    return (GOLDEN / name).read_bytes().removesuffix(b"\n")


def decoded(kind: type[Message], data: bytes) -> Message:
    """`data` decoded as a message of type `kind`."""
    return codec.Decoder(kind).decode(data)


def is_full(value: Any) -> bool:
    """Whether no field of `value`, or of a Struct within it, was left at its default."""
    if isinstance(value, list):
        return bool(value) and all(is_full(each) for each in value)
    if not isinstance(value, msgspec.Struct):
        return True
    given = [getattr(value, each.name) for each in msgspec.structs.fields(value)]
    defaults = [each.default for each in msgspec.structs.fields(value)]
    return all(one is not default and is_full(one) for one, default in zip(given, defaults, strict=True))


@pytest.mark.parametrize("kind", sorted(message_types(), key=str))
def test_every_message_type_has_examples(kind: type[Message]) -> None:
    """A message type without a golden file cannot be added: it has one full example and one least one."""
    assert [type(each) for each in FULL].count(kind) == 1
    assert [type(each) for each in LEAST].count(kind) == 1


def test_tags_are_unique() -> None:
    """Bytes say what they are wherever they are found: no two message types share a tag."""
    tags = [each.__struct_config__.tag for each in message_types()]
    assert len(set(tags)) == len(tags)


@pytest.mark.parametrize("example", FULL, ids=lambda each: str(each.__struct_config__.tag))
def test_full_examples_leave_nothing_out(example: Message) -> None:
    """A field that is added without being added to its example fails here."""
    assert is_full(example)


@pytest.mark.parametrize("example", LEAST, ids=lambda each: str(each.__struct_config__.tag))
def test_least_examples_have_required_fields_only(example: Message) -> None:
    """Defaults do not travel: the bytes hold the tag and what has no default, in declaration order."""
    required = [each.encode_name for each in msgspec.structs.fields(example) if each.required]
    assert list(msgspec.json.decode(codec.encode(example))) == ["type", *required]


@pytest.mark.parametrize("name", sorted(contract_files()))
def test_bytes_are_the_golden_ones(name: str) -> None:
    """Messages, subjects, headers, stream declarations and error codes are, byte for byte, what they were."""
    path = GOLDEN / name
    assert path.is_file(), f"{path} is missing: {RENEW}"
    assert contract_files()[name] == path.read_bytes(), RENEW


def test_no_golden_file_is_stray() -> None:
    """A message type that goes away takes its golden files with it."""
    assert {each.name for each in GOLDEN.iterdir()} == set(contract_files()), RENEW


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_golden_bytes_decode_to_the_example(name: str, example: Message) -> None:
    """What was written by an older process is read as what it meant."""
    assert decoded(type(example), golden(name)) == example


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_unknown_fields_are_ignored(name: str, example: Message) -> None:
    """A newer process may add fields, of any shape: an older one reads the rest."""
    extended = golden(name).removesuffix(b"}") + b',"new_field":{"deep":[1,null,"x"]}}'
    assert decoded(type(example), extended) == example


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
@pytest.mark.parametrize("tag", ['"no.such"', '"Message"', '""', "null", "7", "[]"])
def test_a_wrong_tag_is_refused(name: str, example: Message, tag: str) -> None:
    """Bytes that say they are another message are not taken for this one, however well the fields fit."""
    own = b'{"type":"%s"' % str(example.__struct_config__.tag).encode()
    assert golden(name).startswith(own)
    with pytest.raises(codec.WireError):
        decoded(type(example), golden(name).replace(own, b'{"type":%s' % tag.encode(), 1))


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_no_message_passes_for_another(name: str, example: Message) -> None:
    """Every other type refuses these bytes, because of their tag."""
    for other in message_types() - {type(example)}:
        with pytest.raises(codec.WireError, match="type"):
            decoded(other, golden(name))


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_the_live_union_takes_what_is_live_and_nothing_else(name: str, example: Message) -> None:
    """A gateway tells the kinds of live messages apart by their tag, and refuses every other message."""
    decoder: codec.Decoder[Any] = codec.Decoder(RoomLive)  # type: ignore[arg-type] # a union
    if type(example) in live_types():
        assert decoder.decode(golden(name)) == example
    else:
        with pytest.raises(codec.WireError):
            decoder.decode(golden(name))


def test_absent_data_is_told_from_null() -> None:
    """Readers compare with JSON_ABSENT by identity: a message without data must decode to that very object."""
    least = b'{"type":"message","id":"m","from":{"id":"u","display_name":"U"},"body":"b","ts":1%s}'
    absent = codec.Decoder(ChatMessage).decode(least % b"")
    null = codec.Decoder(ChatMessage).decode(least % b',"data":null')
    assert absent.data is JSON_ABSENT
    assert bytes(null.data) == b"null"
    assert codec.encode(null) == least % b',"data":null'
