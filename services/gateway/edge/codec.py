"""JSON for python-socketio, by msgspec: what is not JSON (NaN, lone surrogates) is refused instead of passed on."""

from typing import Any

import msgspec

_encode = msgspec.json.encode
_decode = msgspec.json.decode


def dumps(value: Any, **_: Any) -> str:
    """`value` as compact JSON."""
    return _encode(value).decode()


def loads(text: str | bytes, **_: Any) -> Any:
    """The value of `text`; raises `ValueError`, also for one that is nested too deep."""
    try:
        return _decode(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
