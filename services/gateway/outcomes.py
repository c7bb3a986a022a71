"""What can become of what clients ask, as it is counted: so much, and no more, whatever they do."""

from typing import Final

from wire.errors import ErrorCode

ANSWERS: Final = ("ok", *ErrorCode)
OURS: Final = ("ok", ErrorCode.UNAVAILABLE, ErrorCode.INTERNAL)
"""What has to be there from the start, so that alerts see the first failure."""

EVENTS: Final = ("join", "leave", "message", "typing", "event", "presence", "history", "read", "refresh", "dismiss")
_NO_EVENTS: Final = ("unknown", "malformed")
_OF_MISTAKES: Final = (ErrorCode.INVALID, ErrorCode.RATE_LIMITED, ErrorCode.INTERNAL)
_OF_TOKENS: Final = (ErrorCode.UNAUTHORIZED, ErrorCode.EXPIRED)

EVENT_RESULTS: Final = frozenset(
    {
        *((event, result) for event in EVENTS for result in ANSWERS if result not in _OF_TOKENS),
        *(("refresh", result) for result in _OF_TOKENS),
        *((event, result) for event in _NO_EVENTS for result in _OF_MISTAKES),
    }
)
"""Not each code of each event: there would be too many series."""

_NEVER: Final = ("unknown", "other_user", "malformed", "forbidden")
_NOT_NOW: Final = ("busy", "too_much", "taken", "unavailable")
RECOVERIES: Final = ("recovered", *_NEVER, *_NOT_NOW)


def of_event(event: str, code: ErrorCode) -> tuple[str, str]:
    """What is counted of an event that was refused; a code that no such event can have is a defect of ours."""
    return (event, code) if (event, code) in EVENT_RESULTS else (event, ErrorCode.INTERNAL)
