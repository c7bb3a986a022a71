"""Everything that goes over NATS in a stack, held against docs/asyncapi.yaml."""

import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import yaml
from nats.aio.msg import Msg

from apidocs.files import DOCS
from runtime import nkeys
from tests.support import strict
from tests.support.nats_server import nats_user
from tests.support.stacks import TestStack

Json = dict[str, Any]
_USER: Final = "wiretap"
_ANSWERED_SECONDS: Final = 5.0
"""Nobody waits for an answer for longer than that."""
_PULL: Final = "JS.API.CONSUMER.MSG.NEXT.MESSAGES.history"
_MAY: Final = """{{ nkey: {key}, permissions {{ publish: ["_INBOX.wiretap.>"], subscribe: [">"] }} }}"""


class Heard(NamedTuple):
    """One message."""

    subject: str
    reply: str
    data: bytes
    headers: Any
    since: float
    """Seconds after the tap was opened."""


class TappedStack(TestStack):
    """A stack whose NATS has a user who may hear everything."""

    async def _make_secrets(self) -> None:
        await super()._make_secrets()
        seed = self.secrets.seed(_USER)
        seed.parent.mkdir(exist_ok=True)
        seed.write_text(nkeys.generate().seed)
        seed.chmod(0o600)
        config = self.secrets.nats_config
        entry = _MAY.format(key=nkeys.read("seed", str(seed)).public)
        changed, count = re.subn(r"users: \[", f"users: [\n{entry}\n", config.read_text())
        assert count == 1
        config.write_text(changed)

    @asynccontextmanager
    async def tapped(self) -> AsyncIterator[list[Heard]]:
        """All that is published while the block runs, in order."""
        heard: list[Heard] = []
        began = time.monotonic()

        async def hear(message: Msg) -> None:
            since = time.monotonic() - began
            heard.append(Heard(message.subject, message.reply, message.data, message.headers, since))

        async with nats_user(self.nats_url, self.secrets.seed(_USER)) as client:
            await client.subscribe(">", cb=hear)
            await client.flush()
            yield heard


class DescribedSubjects:
    """Checks messages in the order in which they were heard; `seen` are channels, and the messages there."""

    def __init__(self) -> None:
        self.document: Final[Json] = yaml.safe_load((DOCS / "asyncapi.yaml").read_bytes())
        self._patterns: Final[dict[str, re.Pattern[str]]] = {
            name: _pattern(channel["address"])
            for name, channel in self.document["channels"].items()
            if channel["address"] and "nats" in channel["servers"][0]["$ref"]
        }
        self._asked: dict[str, str] = {}
        """By reply subject, the channel of what was asked."""
        self.seen: Final[set[tuple[str, str]]] = set()

    def described(self) -> set[tuple[str, str]]:
        """All that may be seen."""
        return {
            (name, message)
            for name, channel in self.document["channels"].items()
            if "nats" in channel["servers"][0]["$ref"]
            for message in channel["messages"]
        }

    def check(self, heard: Heard) -> None:
        """Whether somebody has described it; raises `AssertionError`, or what jsonschema raises."""
        if heard.since < _ANSWERED_SECONDS and heard.subject.startswith("_INBOX.") and not self._known(heard):
            return  # it was asked before anybody listened
        channel = self._channel(heard)
        if heard.reply:
            self._asked[heard.reply] = channel
        messages = self.document["channels"][channel]["messages"]
        name, payload = self._message(heard, messages)
        if payload:
            strict.validator(self.document, payload).validate(json.loads(heard.data))
        self.seen.add((channel, name))

    def _known(self, heard: Heard) -> bool:
        return heard.subject in self._asked or any(each.fullmatch(heard.subject) for each in self._patterns.values())

    def _channel(self, heard: Heard) -> str:
        asked = self._asked.get(heard.subject)
        if asked is None and not heard.data and heard.subject.startswith("_INBOX.history."):
            asked = _PULL  # it was asked before anybody listened
        if asked is not None and f"{asked}.reply" in self.document["channels"]:
            return f"{asked}.reply"
        for name, pattern in self._patterns.items():
            if pattern.fullmatch(heard.subject):
                return name
        raise AssertionError(f"nobody has described {heard.subject}: {heard.data[:200]!r} {asked}")

    def _message(self, heard: Heard, messages: Json) -> tuple[str, Json]:
        payloads: dict[str, Json] = {
            name: self.document["components"]["messages"][name]["payload"] for name in messages
        }
        if len(payloads) > 1:
            tag = f"nats.{json.loads(heard.data)['type']}"
            assert tag in payloads, f"nobody has described that {heard.subject} has {tag}"
            return tag, payloads[tag]
        return next(iter(payloads.items()))


def _pattern(address: str) -> re.Pattern[str]:
    """Of the last parameter there may be several tokens."""
    parts = re.split(r"(\{\w+\})", address)
    last = max((number for number, each in enumerate(parts) if each.startswith("{")), default=-1)
    several = last == len(parts) - 2 and not parts[-1] and address.startswith(("$JS.ACK", "$JS.EVENT", "_INBOX"))
    made = (
        (".+" if several and number == last else r"[^.]+") if each.startswith("{") else re.escape(each)
        for number, each in enumerate(parts)
    )
    return re.compile("".join(made))
