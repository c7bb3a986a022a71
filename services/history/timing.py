"""How many answers there are, and how long they take."""

import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from services.history import metrics
from wire.errors import ErrorCode, ParleyError
from wire.messages import Message

Q = TypeVar("Q", bound=Message)
R = TypeVar("R", bound=Message)

_PAGE: Final = "page"
_OURS: Final = frozenset({ErrorCode.UNAVAILABLE, ErrorCode.INTERNAL})


def timed(kind: str, handler: Callable[[Q], Awaitable[R]]) -> Callable[[Q], Awaitable[R]]:
    """What does as `handler`, counted by `kind` and result: ok, or the code. Pages have a histogram of their own."""

    async def answer(request: Q) -> R:
        started = time.perf_counter()
        result: str = ErrorCode.INTERNAL
        try:
            reply = await handler(request)
            result = "ok"
        except ParleyError as error:
            result = error.code
            raise
        finally:
            metrics.requests.labels(kind=kind, result=result).inc()
            durations = (
                metrics.page_duration.labels(result=_coarse(result))
                if kind == _PAGE
                else metrics.request_duration.labels(kind=kind)
            )
            durations.observe(time.perf_counter() - started)
        return reply

    return answer


def _coarse(result: str) -> str:
    if result == "ok":
        return result
    return "failed" if result in _OURS else "refused"
