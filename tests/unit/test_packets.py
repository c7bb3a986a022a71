"""What clients that poll send, and what any client does: packets, or `ValueError`."""

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.gateway.edge import packet, payload
from services.gateway.edge.limits import Limits
from tests.unit.test_codec import json_values

Packet = packet.checked(Limits())
_separated = st.text(st.characters(exclude_characters="\x1e", exclude_categories=["Cs"]))
_texts = _separated.filter(lambda each: not each.startswith("b"))
_heads = st.from_regex(r"\A[0-9]?([0-9]{1,12}-)?(/[a-z?=/]{0,6},)?[0-9]{0,12}\Z")


@settings(deadline=None)
@given(st.lists(st.one_of(_texts, st.binary(max_size=40)), min_size=1))
def test_a_payload_gives_back_what_it_was_made_of(packets: list[str | bytes]) -> None:
    """Text and binary, in their order."""
    assert payload.decode(payload.encode(packets)) == packets


@settings(deadline=None)
@given(st.text())
@example("b")
@example("bA")
@example("b\u00e9")
@example("\x1e")
def test_any_text_is_a_payload_or_a_value_error(text: str) -> None:
    """As many packets as there are between separators."""
    try:
        packets = payload.decode(text)
    except ValueError:
        return
    assert len(packets) == text.count("\x1e") + 1


def decodes(text: str) -> bool:
    """Whether `text` is a packet; anything but `ValueError` fails the test."""
    decoded = Packet()
    try:
        count = decoded.decode(text)
        for _ in range(count):
            decoded.add_attachment(b"x")
    except ValueError:
        return False
    assert count <= Limits().attachments_most
    return True


@settings(deadline=None, max_examples=300)
@given(_heads, json_values.filter(lambda value: "NaN" not in str(value)))
@example("51-", ["event", {"_placeholder": True, "num": 10**6}])
@example("51-", ["event", {"_placeholder": True, "num": True}])
@example("2", ["disconnect"])
@example("3", [])
def test_any_json_behind_any_head_is_a_packet_or_a_value_error(head: str, value: object) -> None:
    """No event of the server's own, and no more attachments than are allowed."""
    text = head + json.dumps(value)
    if decodes(text) and isinstance(value, list) and head[:1] in {"2", "5"}:
        assert isinstance(value[0], str)
        assert value[0] not in {"connect", "disconnect"}


@settings(deadline=None, max_examples=300)
@given(st.text())
@example("")
@example("2" + "[" * 30_000)
@example("0" + '{"token":' * 5_000)
@example("2" + "9" * 5_000 + "[]")
@example("5" + "9" * 5_000 + "-[]")
@example("0/" + "a" * 5_000)
@example("2/,[")
@example("5-")
@example("2\u0664[]")
def test_any_text_is_a_packet_or_a_value_error(text: str) -> None:
    """Nothing else comes out."""
    decodes(text)
