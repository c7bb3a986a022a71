"""How functions that are not ours are called."""

import inspect
from typing import Any


def parameters(function: Any) -> list[str]:
    """The names of a function's parameters."""
    return list(inspect.signature(function).parameters)
