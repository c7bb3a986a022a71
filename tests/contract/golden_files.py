"""The golden files: the exact bytes of the contract, one file each, with a newline at the end.

`python -m tests.contract.golden_files` writes them again. Do that only when the contract is meant to change, and
read the diff: what it shows is what running processes, stored messages and other people's clients will meet.
"""

import inspect
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from tests.contract.examples import FULL, LEAST, SUBJECT_ARGUMENTS
from wire import codec, headers, streams, subjects
from wire.errors import ErrorCode
from wire.messages import Message

GOLDEN: Final = Path(__file__).with_name("golden")
_TRACEPARENT: Final = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def message_files() -> dict[str, Message]:
    """The files of messages: `<tag>.json` has all fields, `<tag>.least.json` leaves the defaults out."""
    full = {f"{each.__struct_config__.tag}.json": each for each in FULL}
    least = {f"{each.__struct_config__.tag}.least.json": each for each in LEAST}
    return {**full, **least}


def contract_files() -> dict[str, bytes]:
    """All golden files, by name, as the code of today would have them."""
    return {
        **{name: codec.encode(each) + b"\n" for name, each in message_files().items()},
        "subjects.json": _pretty(_subjects()),
        "headers.json": _pretty(_headers()),
        "streams.json": _pretty(_streams()),
        "error-codes.json": _pretty([str(each) for each in ErrorCode]),
    }


def _subjects() -> dict[str, str]:
    constants = {name: value for name, value in vars(subjects).items() if name.isupper()}
    functions = {
        name: value(*SUBJECT_ARGUMENTS[name])
        for name, value in vars(subjects).items()
        if inspect.isfunction(value) and not name.startswith("_")
    }
    return {**constants, **functions}


def _headers() -> dict[str, str]:
    republished = (
        b"NATS/1.0\r\nNats-Msg-Id: m\r\nNats-Stream: MESSAGES\r\nNats-Subject: chat.room.lobby.message\r\n"
        b"Nats-Sequence: 42\r\nNats-Time-Stamp: 2026-01-01T00:00:00.000000001Z\r\nNats-Last-Sequence: 40\r\n\r\n"
    )
    return {
        "MESSAGE_ID": headers.MESSAGE_ID,
        "message_id(u-ann, lobby, m-1)": headers.message_id("u-ann", "lobby", "m-1"),
        "TRACEPARENT": headers.TRACEPARENT,
        "identified(m)": headers.identified("m").decode(),
        "identified(m, recorded)": headers.identified("m", _TRACEPARENT).decode(),
        "traced": headers.traced(_TRACEPARENT).decode(),
        "put(42)": headers.put(42).decode(),
        "put(42, deleted)": headers.put(42, deleted=True).decode(),
        "position": repr(headers.position(republished)),
    }


def _streams() -> dict[str, Any]:
    declared = streams.messages(replicas=3, max_age=604_800, dedupe_window=600, first_seq=5)
    return {
        "messages": declared.as_dict(),
        "kept_sessions": streams.kept_sessions(replicas=3).as_dict(),
        "control": streams.control(replicas=3).as_dict(),
        "history_consumer": streams.history_consumer().as_dict(),
    }


def _pretty(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def main() -> None:
    """Write every golden file, and remove those that belong to nothing any more."""
    wanted = contract_files()
    GOLDEN.mkdir(exist_ok=True)
    for stray in {each.name for each in GOLDEN.iterdir()} - wanted.keys():
        (GOLDEN / stray).unlink()
    for name, data in wanted.items():
        (GOLDEN / name).write_bytes(data)
    sys.stdout.write(f"{len(wanted)} files in {GOLDEN}\n")


if __name__ == "__main__":
    main()
