"""What history counts of its answers."""

from collections.abc import Awaitable, Callable
from contextlib import nullcontext

import pytest

from services.history import metrics
from services.history.timing import timed
from wire.errors import ErrorCode, ParleyError
from wire.messages import Done, GetPage


def _answering(error: Exception | None) -> Callable[[GetPage], Awaitable[Done]]:
    async def answer(_request: GetPage) -> Done:
        if error is not None:
            raise error
        return Done()

    return answer


def _requests(kind: str, result: str) -> float:
    return float(metrics.requests.labels(kind=kind, result=result)._value.get())


def _pages() -> dict[str, float]:
    samples = next(iter(metrics.page_duration.collect())).samples
    return {each.labels["result"]: each.value for each in samples if each.name.endswith("_count")}


@pytest.mark.parametrize(
    ("error", "result", "coarse"),
    [
        (None, "ok", "ok"),
        (ParleyError(ErrorCode.INVALID, "x"), "invalid", "refused"),
        (ParleyError(ErrorCode.TOO_LARGE, "x"), "too_large", "refused"),
        (ParleyError(ErrorCode.UNAVAILABLE, "x"), "unavailable", "failed"),
        (RuntimeError("a defect"), "internal", "failed"),
    ],
)
async def test_an_answer_is_counted_by_what_it_came_to(error: Exception | None, result: str, coarse: str) -> None:
    """Requests by code; pages by whose fault it was; anything else by its kind alone."""
    pages, before = _pages(), {kind: _requests(kind, result) for kind in ("page", "read")}
    for kind in before:
        with nullcontext() if error is None else pytest.raises(type(error)):
            await timed(kind, _answering(error))(GetPage(room="r", limit=1))
    assert {kind: _requests(kind, result) - before[kind] for kind in before} == {"page": 1, "read": 1}
    assert _pages() == pages | {coarse: pages[coarse] + 1}
