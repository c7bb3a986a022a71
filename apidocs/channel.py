"""What Socket.IO and NATS have in common in AsyncAPI: channels, messages and operations."""

from typing import Any, Final

from apidocs.schemas import Json


class Channel:
    """The messages of one channel, as components and as references to them."""

    def __init__(self, name: str) -> None:
        self.name: Final = name
        self.messages: dict[str, Json] = {}
        self.references: dict[str, Json] = {}

    def add(self, key: str, name: str, title: str, payload: Json, *examples: Any, says: str = "") -> Json:
        """A message; returns a reference to it, as operations have it."""
        found = {"name": name, "title": title, **({"description": says} if says else {}), "payload": payload}
        self.messages[key] = found | ({"examples": [{"payload": each} for each in examples]} if examples else {})
        self.references[key] = {"$ref": f"#/components/messages/{key}"}
        return {"$ref": f"#/channels/{self.name}/messages/{key}"}


def operation(action: str, channel: str, summary: str, text: str, tag: str) -> Json:
    """What is sent or received on a channel, without its messages."""
    found: Json = {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "summary": summary}
    return found | ({"description": text} if text else {}) | {"tags": [{"name": tag}]}
