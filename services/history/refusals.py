"""What MongoDB does not write, and whether it ever will.

WriteFailedError
  RefusedError
"""

from typing import Final

from pymongo.errors import BulkWriteError, OperationFailure, PyMongoError

_DUPLICATE_KEY: Final = 11000
_NEVER: Final = frozenset({2, 9, 22, 121, 10334})
"""BadValue, FailedToParse, InvalidBSON, DocumentValidationFailure, BSONObjectTooLarge: a document's own fault.

With any other code the same document may be taken a moment later.
"""


class WriteFailedError(Exception):
    """MongoDB did not confirm a write; it may have been done. Writing it again is safe."""


class RefusedError(WriteFailedError):
    """MongoDB will never take some of the messages, and has taken the others.

    `refused` maps seqs to reasons; `added` counts those that were new.
    """

    def __init__(self, refused: dict[int, str], added: int) -> None:
        super().__init__(f"{len(refused)} refused")
        self.refused = refused
        self.added = added


def failed(error: PyMongoError) -> WriteFailedError:
    """What to raise for `error`: it says what MongoDB calls it, such as Unauthorized or AuthenticationFailed."""
    details = error.details if isinstance(error, OperationFailure) else None
    return WriteFailedError((details or {}).get("codeName") or type(error).__name__)


def added_despite(error: BulkWriteError, seqs: list[int]) -> int:
    """How many of the messages at `seqs` were new, when all that went wrong is that others were there already.

    Raises `WriteFailedError` when trying again may help, `RefusedError` when it never will.
    """
    failures = [each for each in error.details["writeErrors"] if each["code"] != _DUPLICATE_KEY]
    passing = [each["code"] for each in failures if each["code"] not in _NEVER]
    if passing or error.details.get("writeConcernErrors"):
        raise WriteFailedError(f"codes {sorted(set(passing))}" if passing else "no majority") from error
    added = int(error.details["nInserted"])
    if failures:
        raise RefusedError(
            {seqs[each["index"]]: f"MongoDB: code {each['code']}" for each in failures}, added
        ) from error
    return added
