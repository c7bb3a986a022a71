"""Where a run's report goes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import disk_usage
from typing import Final

RESULTS: Final = Path(__file__).with_name("results")
_TRIES: Final = 100
_LEAST_BYTES: Final = 20_000_000
"""What a run of ten minutes leaves."""


@contextmanager
def reporting(chosen: Path | None, began: float) -> Iterator[Path]:
    """The folder of the report of a run that goes on inside: it is there, and is gone if nothing was left in it.

    Raises `OSError`, also when the disk is full: before a run, and not after it.
    """
    is_new = chosen is None or not chosen.exists()
    folder = results_folder(chosen, began)
    try:
        if (free := disk_usage(folder).free) < _LEAST_BYTES:
            needed = f"a report may need {_LEAST_BYTES // 1_000_000} MB"
            raise OSError(f"{folder}: {free // 1_000_000} MB are free, and {needed}")
        yield folder
    finally:
        if is_new:
            with suppress(OSError):
                folder.rmdir()


def results_folder(chosen: Path | None, began: float) -> Path:
    """`chosen`, or a new folder named after the time (seconds of the epoch), in UTC; made. Raises `OSError`."""
    if chosen is not None:
        chosen.mkdir(parents=True, exist_ok=True)
        return chosen
    name = time.strftime("%Y%m%d-%H%M%S", time.gmtime(began))
    RESULTS.mkdir(exist_ok=True)
    for number in range(1, _TRIES):
        folder = RESULTS / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(f"{RESULTS / name}")
