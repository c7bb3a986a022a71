"""Files that hold a secret: read only if nobody else can, and made so."""

import os
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from runtime.settings import SettingsError


def read(variable: str, path: str) -> str:
    """What the file at `path` says, without white space around it; it must be for its owner (and group) alone.

    Raises `SettingsError`, which names `variable` and the file and never what is in it.
    """
    file = Path(path)
    try:
        if file.stat().st_mode & (stat.S_IRWXO | stat.S_IWGRP):
            raise SettingsError(f"{variable}: {path} is open to others: chmod 600 it")
        secret = file.read_text().strip()
    except OSError as error:
        raise SettingsError(f"{variable}: {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{variable}: {path} is no text") from None
    if not secret:
        raise SettingsError(f"{variable}: {path} is empty")
    return secret


def read_if_set(variable: str, path: str) -> str | None:
    """The same; None if `path` is empty."""
    return read(variable, path) if path else None


def make(file: Path, secret: Callable[[], str]) -> None:
    """Write a new `secret` into `file`, mode 0600, all of it or nothing, unless it is there. Raises `OSError`."""
    if file.exists():
        return
    # Whole in a file of its own first. Then linked, not renamed: a link never replaces what another process has made.
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w") as written:
            written.write(f"{secret()}\n")
            written.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):
            os.link(temporary, file)
    finally:
        Path(temporary).unlink()
