"""The folder of signing keys: read, watched by the service, and rotated by a command.

Kubernetes mounts a Secret as links into a folder `..data`, so a name with a dot in front is no key.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import structlog

from services.auth import keys, metrics
from services.auth.keys import KeyFileError, SigningKey
from wire.streams import TOKEN_SECONDS_MOST

ACTIVATION_SECONDS_MOST: Final = 86_400
_MARGIN_SECONDS: Final = 3600
_NEEDED_SECONDS: Final = ACTIVATION_SECONDS_MOST + TOKEN_SECONDS_MOST + _MARGIN_SECONDS
"""How long after the next key was made a key may still be needed. Later, that one has long been signing, and all that
this one signed has expired: whatever the services' settings are, so that the command need not know them."""

log = structlog.get_logger()


def read(folder: Path) -> list[SigningKey]:
    """All keys in `folder`, one at least; raises `KeyFileError` for the first that is bad."""
    found = [keys.read(path) for path in _files(folder)]
    if not found:
        raise KeyFileError(f"{folder} holds no key")
    return found


def rotate(folder: Path, now: float) -> Iterator[str]:
    """Make a key in `folder`, which is made if it is not there, and remove those that nobody needs any more.

    Needed are the newest, and each key until all that it can have signed has expired; the one that signs is never
    removed. Yields what was done, line by line. Raises `KeyFileError`; a folder with a bad file is left as it is.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise KeyFileError(f"{folder}: {error.strerror}") from None
    before = sorted(((keys.read(path), path) for path in _files(folder)), key=lambda each: keys.age_order(each[0]))
    path = keys.generate(folder, now)
    yield f"made {path.name}, kid {keys.read(path).kid}"
    for number, (key, old) in enumerate(before, start=1):
        if number < len(before) and before[number][0].made + _NEEDED_SECONDS < now:
            _remove(old)
            yield f"removed {old.name}, kid {key.kid}"
        else:
            yield f"kept {old.name}, kid {key.kid}"


@asynccontextmanager
async def followed(
    folder: Path, known: list[SigningKey], use: Callable[[list[SigningKey]], None], *, every: float
) -> AsyncIterator[None]:
    """While the block runs, look at `folder` every so many seconds, and hand on its keys when they have changed.

    While it cannot be read, or one file in it is bad, nothing is handed on: whoever has keys keeps them.
    """
    following = asyncio.create_task(_follow(folder, known, use, every))
    try:
        yield
    finally:
        following.cancel()
        await asyncio.wait({following})


async def _follow(
    folder: Path, known: list[SigningKey], use: Callable[[list[SigningKey]], None], every: float
) -> None:
    trouble = ""
    while True:
        await asyncio.sleep(every)
        try:
            found = await asyncio.to_thread(read, folder)
        except KeyFileError as error:
            metrics.key_reload_failures.inc()
            if str(error) != trouble:
                trouble = str(error)
                log.error("signing keys cannot be read, going on with those known", reason=trouble)  # noqa: TRY400
            continue
        if trouble:
            trouble = ""
            log.info("signing keys can be read again")
        if _identities(found) != _identities(known):
            known = found
            use(known)
            log.info("signing keys changed", kids=[each.kid for each in sorted(known, key=keys.age_order)])


def _identities(some: list[SigningKey]) -> set[tuple[float, str]]:
    return {keys.age_order(each) for each in some}


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(each for each in folder.iterdir() if each.suffix == ".pem" and not each.name.startswith("."))
    except OSError as error:
        raise KeyFileError(f"{folder}: {error.strerror}") from None


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from None
