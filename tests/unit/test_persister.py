"""Writing a batch: what fails for now is tried again, what never will be taken is kept aside."""

from types import SimpleNamespace
from typing import Any

import pytest
from pymongo.errors import BulkWriteError

from runtime.stream import Entry
from services.history import metrics, persister
from services.history.persister import Persister
from services.history.progress import Progress
from services.history.refusals import RefusedError, WriteFailedError, added_despite
from wire import codec
from wire.messages import Author, ChatMessage


def _batch(*seqs: int) -> list[Any]:
    author = Author(id="u", display_name="U")
    return [
        SimpleNamespace(
            data=codec.encode(ChatMessage(id=f"m{seq}", author=author, body="x", ts=1)),
            subject="chat.room.r.message",
            metadata=SimpleNamespace(sequence=SimpleNamespace(stream=seq)),
        )
        for seq in seqs
    ]


class _Store:
    """Stands for the store: answers `add` with each of `answers` in turn, then takes everything."""

    def __init__(self, *answers: Exception) -> None:
        self.answers = list(answers)
        self.dead: dict[int, str] = {}
        self.asked: list[list[int]] = []

    async def add(self, messages: list[tuple[str, Entry]]) -> int:
        self.asked.append([entry.seq for _, entry in messages])
        if self.answers:
            raise self.answers.pop(0)
        return len(messages)

    async def add_dead_letter(self, seq: int, _subject: str, _payload: bytes, reason: str) -> None:
        self.dead[seq] = reason


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persister, "_SHORTEST_PAUSE", 0.0)


async def _write(store: _Store, *seqs: int) -> float:
    """Write a batch, and return by how much the count of persisted messages rose."""
    before = metrics.persisted._value.get()
    writing = Persister(None, store, Progress(None), batch_size=500)  # type: ignore[arg-type]
    await writing._write(_batch(*seqs))
    return float(metrics.persisted._value.get() - before)


async def test_what_fails_for_now_is_tried_until_it_is_taken() -> None:
    """However often: an acknowledged message is never put aside because of an outage."""
    store = _Store(*(WriteFailedError("not now") for _ in range(50)))
    assert await _write(store, 1, 2, 3) == 3
    assert store.asked == [[1, 2, 3]] * 51
    assert store.dead == {}


async def test_what_will_never_be_taken_is_kept_aside_at_once() -> None:
    """With its reason; the others of its batch count as written."""
    store = _Store(RefusedError({2: "MongoDB: code 121"}, added=2))
    assert await _write(store, 1, 2, 3) == 2
    assert store.asked == [[1, 2, 3]]
    assert store.dead == {2: "MongoDB: code 121"}


def _error(*codes: int, inserted: int, unconfirmed: bool = False) -> BulkWriteError:
    write_errors = [{"index": index, "code": code} for index, code in enumerate(codes)]
    concern = [{"code": 64}] if unconfirmed else []
    return BulkWriteError({"writeErrors": write_errors, "nInserted": inserted, "writeConcernErrors": concern})


def test_a_duplicate_key_counts_as_done() -> None:
    """The rest was new."""
    assert added_despite(_error(11000, 11000, inserted=3), [1, 2, 3, 4, 5]) == 3


@pytest.mark.parametrize("code", [6, 91, 112, 189, 14031])
def test_a_failure_of_the_server_is_no_fault_of_the_document(code: int) -> None:
    """Host unreachable, shutting down, write conflict, stepped down, out of disk space: try again."""
    with pytest.raises(WriteFailedError) as caught:
        added_despite(_error(11000, code, 121, inserted=1), [1, 2, 3, 4])
    assert not isinstance(caught.value, RefusedError)


def test_a_write_without_a_majority_is_no_write() -> None:
    """It may be rolled back."""
    with pytest.raises(WriteFailedError, match="majority"):
        added_despite(_error(11000, inserted=1, unconfirmed=True), [1, 2])


def test_a_document_that_is_at_fault_is_refused_with_its_reason() -> None:
    """By its seq, and with how many others were new."""
    with pytest.raises(RefusedError) as caught:
        added_despite(_error(11000, 10334, inserted=2), [10, 20, 30, 40])
    assert (caught.value.refused, caught.value.added) == ({20: "MongoDB: code 10334"}, 2)
