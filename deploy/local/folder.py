"""The data folder: made when it is not there, and held by one stack at a time."""

import fcntl
from pathlib import Path
from typing import BinaryIO

from deploy.local.process import StackError


def hold(folder: Path) -> BinaryIO:
    """Hold `folder` until the file that is returned is closed, or the process ends; raises `StackError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("ab")
    except OSError as error:
        raise StackError(f"DATA_DIR {folder} cannot be used: {error.strerror}") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        if isinstance(error, BlockingIOError):
            raise StackError(f"DATA_DIR {folder} is in use by another stack") from None
        raise StackError(f"DATA_DIR {folder} cannot be locked: {error.strerror}") from None
    return file
