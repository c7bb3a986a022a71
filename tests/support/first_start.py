"""What a new stack makes at its first start: secrets, and a database with its users. Made once for all of a test run.

Making the users takes as long as another start of the database.
"""

import atexit
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

_folder: Final = Path(tempfile.mkdtemp(prefix="parley-first-start-"))
_kept: Final = _folder / "kept"
atexit.register(shutil.rmtree, _folder, ignore_errors=True)


def copy_to(data: Path) -> None:
    """Let a stack that has nothing yet begin with what another has made, if there was another."""
    if _kept.exists():
        shutil.copytree(_kept, data, dirs_exist_ok=True)


def keep(data: Path) -> None:
    """Keep what a stack has made, none of which is in use; the first counts."""
    if _kept.exists():
        return
    copy = Path(tempfile.mkdtemp(dir=_folder))
    for name in ("credentials", "mongo", "signing-keys"):
        shutil.copytree(data / name, copy / name)
    with suppress(OSError):  # another was quicker
        copy.rename(_kept)
