"""Socket.IO events and their acknowledgements, held against docs/asyncapi.yaml."""

from typing import Any, Final

import yaml

from apidocs.files import DOCS
from tests.support import strict
from tests.support.clients.parley import PythonClient

Json = dict[str, Any]
REFUSED: Final = "ack.failed"


class DescribedEvents:
    """Checks what clients send and are sent; `seen` are the messages of the document, and `event: ack`."""

    def __init__(self) -> None:
        self.document: Final[Json] = yaml.safe_load((DOCS / "asyncapi.yaml").read_bytes())
        self._messages: Final[Json] = self.document["components"]["messages"]
        self.seen: Final[set[str]] = set()

    def described(self) -> set[str]:
        """All that may be seen."""
        answers = {
            f"{name}: {each['$ref'].rpartition('/')[2]}"
            for name, operation in self.document["operations"].items()
            if operation["action"] == "receive"
            for each in operation["reply"]["messages"]
        }
        pushes = {name: each for name, each in self._messages.items() if name.startswith("server.")}
        return answers | {f"{name}: {each['$ref']}" for name, message in pushes.items() for each in _kinds(message)}

    def client(self, url: str, token: str, **more: Any) -> "CheckedClient":
        """A client all of whose events are checked."""
        return CheckedClient(self, url, token, transports=["websocket"], **more)

    def connect(self, payload: Any, answer: str, said: Any) -> None:
        """A CONNECT with `payload` was answered by `said`, which is the message `answer`."""
        self._check("connect", payload)
        self._check(answer, said)
        self.seen.add(f"connect: {answer}")

    def acknowledged(self, event: str, payload: Any, ack: Any) -> None:
        """A client's `event` was acknowledged."""
        if ack["ok"]:
            self._check(f"client.{event}", payload)
        name = f"ack.{event}" if ack["ok"] else REFUSED
        self._check(name, ack)
        self._check_code(event, ack)
        self.seen.add(f"client.{event}: {name}")

    def pushed(self, event: str, payloads: list[Any]) -> None:
        """A client was sent `event`."""
        name = f"server.{event}"
        assert name in self._messages, f"nobody has described {event}: {payloads}"
        (payload,) = payloads
        self._check(name, payload)
        for kind in _kinds(self._messages[name]):
            if strict.validator(self.document, kind).is_valid(payload):
                self.seen.add(f"{name}: {kind['$ref']}")

    def _check(self, message: str, payload: Any) -> None:
        strict.validator(self.document, self._messages[message]["payload"]).validate(payload)

    def _check_code(self, event: str, ack: Any) -> None:
        if not ack["ok"]:
            words = self.document["operations"][f"client.{event}"]["description"]
            code = ack["error"]["code"]
            assert f"`{code}`" in words.partition("Refused as")[2], f"nobody has described that {event} may be {code}"


def _kinds(message: Json) -> list[Json]:
    payload: Json = message["payload"]
    kinds: list[Json] = payload.get("anyOf", [payload])
    return kinds


class CheckedClient(PythonClient):
    """The official Python client; what it is sent is checked when the block ends, too."""

    def __init__(self, described: DescribedEvents, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._described = described

    async def call(self, event: str, payload: Any, *, seconds: float = 15) -> Any:
        """Send an event and return its acknowledgement, which has been checked."""
        ack = await super().call(event, payload, seconds=seconds)
        self._described.acknowledged(event, payload, ack)
        return ack

    async def __aexit__(self, *error: object) -> None:
        """Close, and check all that was heard."""
        await super().__aexit__(*error)
        for each in self.happened("event"):
            self._described.pushed(each["name"], each["args"])
