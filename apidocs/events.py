"""The events that the gateway has, beside those that are described."""

from typing import Any, get_args, get_type_hints

import msgspec

from apidocs.schemas import Schemas, said_of
from apidocs.words.client_events import CLIENT_EVENTS
from apidocs.words.server_events import PUSHES
from services.gateway import pushes, replies, requests
from wire.messages import StoredMessage


def undescribed() -> list[str]:
    """Events, pushes and acknowledgements that the gateway has and nobody has described, and the other way round."""
    events = CLIENT_EVENTS.keys() ^ request_types().keys()
    replied = {each.reply.__name__ for each in CLIENT_EVENTS.values()}
    acks = {name for name, each in vars(replies).items() if _is_struct(each) and issubclass(each, replies.Done)}
    within = Schemas()
    for kind in (kind for push in PUSHES.values() for kind in push.kinds):
        within.of(kind, sent=True)
    described = {(name, kind.__name__) for name, push in PUSHES.items() for kind in push.kinds}
    own = (each for each in vars(pushes).values() if _is_struct(each) and each.__module__ == pushes.__name__)
    parts = within.components.keys() - {name for _, name in described}
    sent = {_pushed(each) for each in own if each.__name__ not in parts} | {("message", StoredMessage.__name__)}
    pushed = {": ".join(each) for each in described ^ sent}
    return sorted(events | (replied ^ acks) | pushed)


def _pushed(kind: type[msgspec.Struct]) -> tuple[str, str]:
    """The event that `kind` says it is, in the first word of its docstring; and its name."""
    return said_of(kind).partition(":")[0].strip("`"), kind.__name__


def request_types() -> dict[str, type[msgspec.Struct]]:
    """What each event of a client carries, by the event's name."""
    events: tuple[type[requests.ClientEvent], ...] = get_args(requests.AnyEvent)
    return {str(each.__struct_config__.tag): get_type_hints(each)["request"] for each in events}


def _is_struct(each: Any) -> bool:
    return isinstance(each, type) and issubclass(each, msgspec.Struct)
