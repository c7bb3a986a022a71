"""What is looked at before users are played: this machine, the tokens, and whether the deployment lets anybody in.

A run that cannot work is refused at once, and not after its time.
"""

import asyncio
import base64
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from loadtests import preflight
from loadtests.arguments import place_of
from loadtests.options import Options
from loadtests.report import history
from loadtests.target import RunError

_FILES_BESIDE: Final = 100
_USERS_EACH: Final = 1000
"""One process plays so many: above, it may measure itself."""
_ROOM: Final = "load-preflight"


class _Claims(msgspec.Struct):
    exp: float = math.inf


def machine(options: Options, urls: Sequence[str]) -> None:
    """Raises `RunError` when this machine cannot make that load."""
    preflight.raise_file_limit()
    here = 0 if options.bind is not None else options.users
    if options.worker_of is not None and options.expect_workers:
        here = math.ceil(options.users * options.processes / options.expect_workers)
    connections = math.ceil(here * (1 + _share(options, "browser")))
    targets = [place_of(each) for each in urls]
    own = options.own_stack and options.worker_of is None
    # While one gateway restarts, another has its connections, too.
    files = connections + _FILES_BESIDE if own else 0
    need = preflight.Need(connections, options.processes, targets, own_system=own, system_files=files)
    fits(need)
    if here > _USERS_EACH * options.processes:
        most = math.ceil(here / _USERS_EACH)
        print(f"beware: one process plays {_USERS_EACH} users well; --processes {most} is safer", file=sys.stderr)


def fits(need: preflight.Need) -> None:
    """Say what preflight finds; raises `RunError` when it refuses."""
    findings = preflight.check(need)
    if findings:
        print(preflight.text(findings), file=sys.stderr)
    if any(each.refuses for each in findings):
        raise RunError("this machine cannot make that load; what mends it is above")


def _share(options: Options, kind: str) -> float:
    """Of all users. A browser has a connection for its polls beside its WebSocket."""
    return options.mix.get(kind, 0) / sum(options.mix.values())


def tokens(path: Path, count: int, *, of: str = "users") -> list[str]:
    """At least so many, from a file: one for each `of` those. Raises `RunError` and `OSError`."""
    try:
        found = path.read_text().split()
    except UnicodeDecodeError:
        raise RunError(f"{path} holds no tokens") from None
    if len(found) < count:
        raise RunError(f"{count} {of} need as many tokens; {path.name} holds {len(found)}")
    return found


async def deployment(urls: Sequence[str], found: Sequence[str], seconds: float) -> None:
    """Raises `RunError` unless each of `urls` answers the first user, and the tokens are good for so long."""
    least = min(_end(each) for each in found)
    if least < time.time() + seconds:
        left = f"in {least - time.time():.0f} s" if least > time.time() else "already"
        raise RunError(f"a token ends {left}, and the run takes {seconds:.0f} s: mint them anew, for longer")
    troubles = await asyncio.gather(*(_asked(url, found[0]) for url in urls))
    for url, trouble in zip(urls, troubles, strict=True):
        if trouble:
            raise RunError(f"{url} lets nobody in: {trouble}")


def _end(token: str) -> float:
    """When it ends, in seconds of the epoch, as far as it says so."""
    try:
        claims = token.split(".")[1]
        text = base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4))
        return msgspec.json.decode(text, type=_Claims).exp
    except (IndexError, ValueError):
        return math.inf


async def _asked(url: str, token: str) -> str | None:
    """What went wrong, if the history of a room could not be read: as it has to be in the end."""
    _, troubles = await history.read([url], token, [_ROOM])
    return next(iter(troubles.values()), None)
