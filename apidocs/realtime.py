"""Socket.IO events and NATS subjects as AsyncAPI 3.0, of the types that really go there."""

from typing import Any, Final

import msgspec

from apidocs import connecting, events, nats, subjects
from apidocs.channel import Channel, operation
from apidocs.described import UndescribedError
from apidocs.schemas import Json, Schemas, said_of
from apidocs.words.client_events import ALWAYS, CLIENT_EVENTS, CONNECT_CODES
from apidocs.words.server_events import PUSHES
from services.gateway import replies
from wire.messages import Message, Refused

_SOCKET: Final = "socket"
_CLIENT: Final = "Client events"
_SERVER: Final = "Server events"
_TAGS: Final = {
    _CLIENT: "What a client sends. Each takes an acknowledgement: `{ok: true, ...}` or `{ok: false, error}`.",
    _SERVER: "What a client is sent unasked.",
    nats.TAG: "What Parley's own processes tell each other. Clients never see it.",
}


def document(version: str) -> Json:
    """The document. Raises `UndescribedError`."""
    _check()
    schemas, wire = Schemas(), Schemas("nats.")
    socket = Channel(_SOCKET)
    operations: Json = {"connect": _connect(socket, schemas)}
    for name, kind in events.request_types().items():
        operations[f"client.{name}"] = _client_event(name, kind, socket, schemas)
    for name, push in PUSHES.items():
        kinds = [schemas.of(each, sent=True) for each in push.kinds]
        payload = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
        message = socket.add(f"server.{name}", name, push.summary, payload, push.example)
        operations[f"server.{name}"] = {
            **operation("send", _SOCKET, push.summary, push.text, _SERVER),
            "messages": [message],
        }
    channels: Json = {
        _SOCKET: {
            "address": "/",
            "title": "Socket.IO",
            "summary": "The namespace `/` of any gateway.",
            "description": "Connect with the `auth` payload `{token}`. Each event has one argument, and so has its "
            "acknowledgement.",
            "servers": [{"$ref": "#/servers/public"}],
            "messages": socket.references,
        }
    }
    found: Json = {
        "asyncapi": "3.0.0",
        "id": "urn:parley",
        "info": _info(version),
        "defaultContentType": "application/json",
        "servers": _servers(),
        "channels": channels,
        "operations": operations,
        "components": {"messages": socket.messages, "schemas": {}},
    }
    nats.add(found, wire)
    components = found["components"]
    components["messages"] = dict(sorted(components["messages"].items()))
    components["schemas"] = dict(sorted((schemas.components | wire.components).items()))
    return found


def message_types() -> set[type[Message]]:
    """All that `wire` declares."""
    found, waiting = set(), [Message]
    while waiting:
        below = [each for each in waiting.pop().__subclasses__() if each.__module__.startswith("wire.")]
        found.update(below)
        waiting += below
    return found


def _check() -> None:
    described = {kind for each in subjects.SUBJECTS for kind in (*each.kinds, *each.replies)} | {Refused}
    unknown = [each.__name__ for each in message_types() - described]
    if wrong := [*events.undescribed(), *subjects.undescribed(), *unknown]:
        raise UndescribedError(f"apidocs/words/ and the code differ in {wrong}")


def _info(version: str) -> Json:
    return {
        "title": "Parley in real time",
        "version": version,
        "description": "Socket.IO events of the public port, and the NATS subjects behind it. Clients need the first "
        "alone. Whoever reads ignores fields that they do not know: there may be more of them one day. HTTP is "
        "described in openapi.yaml.",
        "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
    }


def _servers() -> Json:
    return {
        "public": {
            "host": "127.0.0.1:8080",
            "pathname": "/socket.io/",
            "protocol": "ws",
            "title": "The public port of any gateway",
            "description": "Socket.IO 5 over Engine.IO 4: official clients, over WebSocket or polling.",
        },
        "nats": {
            "host": "127.0.0.1:4222",
            "protocol": "nats",
            "title": "NATS with JetStream",
            "description": "Who may publish and hear what: deploy/k8s/base/nats-permissions.conf.",
        },
    }


def _codes(codes: tuple[Any, ...]) -> str:
    return f"Refused as {', '.join(f'`{each}`' for each in sorted(set(codes)))}."


def _connect(socket: Channel, schemas: Schemas) -> Json:
    auth = schemas.of(connecting.ConnectAuth, sent=False)
    asked = socket.add("connect", "CONNECT", "Connect", auth, {"token": "eyJhbGciOiJFZERTQSJ9..."})
    answers = [
        socket.add("connected", "CONNECT", "Let in", schemas.of(connecting.Connected, sent=True), {"sid": "c-1"}),
        socket.add("connect_error", "connect_error", "Refused", schemas.of(connecting.Refusal, sent=True)),
    ]
    says = f"The `auth` payload of the connection. {_codes(CONNECT_CODES)}"
    reply = {"channel": {"$ref": f"#/channels/{_SOCKET}"}, "messages": answers}
    return {**operation("receive", _SOCKET, "Connect", says, _CLIENT), "messages": [asked], "reply": reply}


def _client_event(name: str, kind: type[msgspec.Struct], socket: Channel, schemas: Schemas) -> Json:
    event = CLIENT_EVENTS[name]
    asked = socket.add(f"client.{name}", name, event.summary, schemas.of(kind, sent=False), event.example)
    good = schemas.of(event.reply, sent=True)
    failed = schemas.of(replies.Failed, sent=True)
    title = said_of(event.reply)
    answers = [
        socket.add(f"ack.{name}", f"{name}, acknowledged", title, good, event.answer),
        socket.add("ack.failed", "refused", said_of(replies.Failed), failed, _FAILED),
    ]
    says = " ".join(each for each in (event.text, _codes((*event.codes, *ALWAYS))) if each)
    reply = {"channel": {"$ref": f"#/channels/{_SOCKET}"}, "messages": answers}
    return {**operation("receive", _SOCKET, event.summary, says, _CLIENT), "messages": [asked], "reply": reply}


_FAILED: Final = {"ok": False, "error": {"code": "rate_limited", "message": "too many messages", "retry_after": 0.05}}
