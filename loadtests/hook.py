"""The hook of a run: a command that does something to the system while the load goes on. For gevent."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import gevent
from gevent import subprocess

from loadtests.options import HOOK_SECONDS

_LINES_MOST: Final = 50


def run(command: str, said: Callable[[str], None]) -> str | None:
    """Run `command` in a shell, and pass on its first lines; returns how it failed, in words, or None.

    It is killed, with all that it started, when it takes longer than `HOOK_SECONDS`, or when the greenlet is.
    """
    began = time.monotonic()
    process = subprocess.Popen(
        ["/bin/sh", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    reader = gevent.spawn(_read, process.stdout, said)
    try:
        code = process.wait(timeout=HOOK_SECONDS)
    except subprocess.TimeoutExpired:
        return f"the hook was killed after {HOOK_SECONDS:g} s"
    finally:
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        reader.join(timeout=1)
        reader.kill()
    said(f"the hook ended after {time.monotonic() - began:.1f} s")
    return f"the hook ended with exit code {code}" if code else None


def _read(pipe: object, said: Callable[[str], None]) -> None:
    for number, line in enumerate(pipe):  # type: ignore[arg-type, var-annotated]
        if number < _LINES_MOST and (text := line.decode(errors="replace").strip()):
            said(text[:200])
