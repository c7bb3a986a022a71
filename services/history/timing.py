"""How long answers take, by what they come to."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from prometheus_client import Histogram

from wire.errors import ParleyError
from wire.messages import Message

Q = TypeVar("Q", bound=Message)
R = TypeVar("R", bound=Message)


def timed(durations: Histogram, handler: Callable[[Q], Awaitable[R]], **labels: str) -> Callable[[Q], Awaitable[R]]:
    """What does as `handler`, and observes its time in `durations`, by `labels` and `result`: ok, or the code."""

    async def answer(request: Q) -> R:
        started = time.perf_counter()
        result = "internal"
        try:
            reply = await handler(request)
            result = "ok"
        except ParleyError as error:
            result = error.code
            raise
        finally:
            durations.labels(**labels, result=result).observe(time.perf_counter() - started)
        return reply

    return answer
