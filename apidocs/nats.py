"""The subjects of NATS, as channels and operations of AsyncAPI."""

import re
from pathlib import Path
from typing import Final

import msgspec

from apidocs.channel import Channel, operation
from apidocs.described import Subject
from apidocs.schemas import Json, Schemas, said_of
from apidocs.subjects import SUBJECTS
from wire.messages import Refused

TAG: Final = "NATS"
_GOLDEN: Final = Path(__file__).parents[1] / "tests" / "contract" / "golden"
_PARAMETERS: Final = {
    "room": "The id of a room.",
    "user": "The id of a user.",
    "gateway": "The name of a gateway's run.",
    "session": "The id of a session.",
    "pid": "The secret name of a client's session.",
    "stream": "The name of a stream.",
    "what": "A method of JetStream's API, or a kind of advisory.",
    "place": "Which message; several tokens.",
    "who": "One of NATS's users: gateway, auth or history.",
    "connection": "Of a process to NATS; several tokens.",
}


def add(document: Json, wire: Schemas) -> None:
    """Add all of them to the channels, operations and messages of `document`."""
    for subject in SUBJECTS:
        channel = Channel(_channel_name(subject.address))
        asked = _subject(subject, channel, wire)
        document["channels"][channel.name] = _nats_channel(subject, channel)
        if (answers := _answers(subject, wire)) is not None:
            asked["reply"] = _reply(answers)
            servers = [{"$ref": "#/servers/nats"}]
            document["channels"][answers.name] = {"address": None, "servers": servers, "messages": answers.references}
            document["components"]["messages"].update(answers.messages)
        document["operations"][channel.name] = asked
        document["components"]["messages"].update(channel.messages)


def _channel_name(address: str) -> str:
    return re.sub(r"[{}$]", "", address)


def _tag(kind: type[msgspec.Struct]) -> str:
    return str(kind.__struct_config__.tag)


def _add(channel: Channel, kind: type[msgspec.Struct], wire: Schemas) -> Json:
    tag = _tag(kind)
    example = msgspec.json.decode((_GOLDEN / f"{tag}.json").read_bytes())
    return channel.add(f"nats.{tag}", tag, kind.__name__, wire.of(kind, sent=True), example, says=said_of(kind))


def _subject(subject: Subject, channel: Channel, wire: Schemas) -> Json:
    if subject.kinds:
        messages = [_add(channel, each, wire) for each in subject.kinds]
    else:
        messages = [channel.add(f"nats.{channel.name}", channel.name, "Not Parley's own", {})]
    says = " ".join(each for each in (f"From {subject.sender} to {subject.hearers}.", subject.text) if each)
    return {**operation("send", channel.name, subject.summary, says, TAG), "messages": messages}


def _nats_channel(subject: Subject, channel: Channel) -> Json:
    names = re.findall(r"{(\w+)}", subject.address)
    parameters = {"parameters": {each: {"description": _PARAMETERS[each]} for each in names}} if names else {}
    return {
        "address": subject.address,
        "summary": subject.summary,
        "servers": [{"$ref": "#/servers/nats"}],
        **parameters,
        "messages": channel.references,
    }


def _answers(subject: Subject, wire: Schemas) -> Channel | None:
    """Where whoever asks hears the answers, if there are any."""
    channel = Channel(f"{_channel_name(subject.address)}.reply")
    if subject.is_answered:
        channel.add(f"nats.{channel.name}", channel.name, "JetStream's own answer", {})
    elif subject.replies:
        kinds: tuple[type[msgspec.Struct], ...] = (*subject.replies, Refused)
        for each in kinds:
            _add(channel, each, wire)
    return channel if channel.messages else None


def _reply(channel: Channel) -> Json:
    messages = [{"$ref": f"#/channels/{channel.name}/messages/{each}"} for each in channel.references]
    return {
        "address": {"location": "$message.header#/reply", "description": "The reply subject of the question."},
        "channel": {"$ref": f"#/channels/{channel.name}"},
        "messages": messages,
    }
