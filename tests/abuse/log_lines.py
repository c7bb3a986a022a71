"""What the services write down while strangers try what they can: lines of JSON, no defects, and no secrets."""

import json
import re
from collections.abc import Iterable
from typing import Final

SERVICES: Final = ("gateway-1", "gateway-2", "auth", "history")
_LINE: Final = re.compile(r"(?P<name>[\w-]+) \| (?P<text>.*)", re.DOTALL)
_FINE: Final = {"debug", "info", "warning"}


def complaints(lines: Iterable[str]) -> list[str]:
    """What is wrong with lines of the stack's output; those of NATS and MongoDB are not ours to write."""
    return [f"{why}: {line}" for line in lines if (why := _why(line)) is not None]


def _why(line: str) -> str | None:
    parts = _LINE.fullmatch(line)
    if parts is None:
        return "no line of a process"
    if parts["name"] not in SERVICES:
        return None
    if not parts["text"].isascii() or not parts["text"].isprintable():
        return "characters that are not escaped"
    return _what_is_wrong_in(parts["text"], parts["name"])


def _what_is_wrong_in(text: str, instance: str) -> str | None:
    try:
        said = json.loads(text)
    except ValueError:
        return "no JSON"
    if not isinstance(said, dict) or said.get("instance") != instance or "event" not in said:
        return "no line of a service"
    return None if said.get("level") in _FINE and "Traceback" not in text else "a defect"


def leaks(lines: Iterable[str], secrets: Iterable[str]) -> list[str]:
    """The secrets that are in lines, whatever was written around them."""
    said = "\n".join(lines)
    return [each for each in secrets if each in said or json.dumps(each)[1:-1] in said]
