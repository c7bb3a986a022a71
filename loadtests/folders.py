"""Where a run's report goes."""

import time
from pathlib import Path
from typing import Final

RESULTS: Final = Path(__file__).with_name("results")
_TRIES: Final = 100


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
