"""Chat users against a stack of its own, or a running deployment; then the verdict.

Exit code 0: every acknowledged message was received exactly once by every member, in order, and is in history.
1: it was not, or none was acknowledged. 2: the run could not be done.

The stack's supervisor lives on asyncio and Locust on gevent, so Locust is a process of its own. It writes down facts;
they are judged here.
"""

import asyncio
import os
import shutil
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from deploy.local.ports import HOST, Ports
from deploy.local.process import StackError
from deploy.local.stack import ROOT, Stack
from loadtests import record as records
from loadtests.options import Options, parse

_LOCUSTFILE: Final = Path(__file__).with_name("locustfile.py")
_GRACE_SECONDS: Final = 120.0
"""For arriving, settling and reading the history back, beside the chatting."""
_TOKEN_SPARE_SECONDS: Final = 600
_LOG_LINES: Final = 40


class RunError(Exception):
    """The run could not be done; the message is the one line to show."""


def main(arguments: list[str]) -> int:
    """Run, and return the exit code."""
    options = parse(arguments, __doc__)
    try:
        return asyncio.run(_main(options))
    except (RunError, StackError, OSError) as error:
        print(f"loadtests: {error}", file=sys.stderr)
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("loadtests: stopped before the verdict", file=sys.stderr)
    return 2


async def _main(options: Options) -> int:
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with TemporaryDirectory(prefix="parley-loadtest-") as name:
        folder = Path(name)
        if options.urls and options.tokens is not None:
            return await _judged_run(options, options.urls, options.tokens, folder, os.environ)
        return await _run_own_stack(options, folder)


async def _run_own_stack(options: Options, folder: Path) -> int:
    complaints: deque[str] = deque(maxlen=_LOG_LINES)
    code = 2

    def listen(name: str, line: str) -> None:
        if '"level": "info"' not in line and "[INF]" not in line:
            complaints.append(f"{name} | {line}")

    try:
        async with Stack(folder / "stack", Ports.free(), sink=listen) as stack:
            complaints.clear()  # it has started
            tokens = folder / "tokens"
            tokens.touch(mode=0o600)
            tokens.write_bytes(await mint(options, stack.environment("auth")))
            environ = {**os.environ, "NO_PROXY": HOST, "no_proxy": HOST}
            code = await _judged_run(options, stack.gateway_urls, tokens, folder, environ)
            for child in stack.children.values():
                if not child.is_running:
                    raise RunError(await child.ended())
    finally:
        if code and complaints:
            print("what the stack said, beside the usual:", *complaints, sep="\n  ", file=sys.stderr)
    return code


async def mint(options: Options, environ: Mapping[str, str]) -> bytes:
    """Tokens for all users, signed with the keys that `environ` names. Raises `RunError`."""
    command = [sys.executable, "-m", "services.auth", "mint", "--users", str(options.users)]
    command += ["--seconds", str(options.seconds + _TOKEN_SPARE_SECONDS)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=dict(environ), stdout=PIPE)
    tokens, _ = await process.communicate()
    if process.returncode:
        raise RunError(f"minting tokens ended with exit code {process.returncode}")
    return tokens


async def _judged_run(
    options: Options, urls: Sequence[str], tokens: Path, folder: Path, environ: Mapping[str, str]
) -> int:
    _check_tokens(tokens, options.users)
    record = folder / "record.json"
    await _locust(options, urls, tokens, record, environ)
    if options.record is not None:
        shutil.copyfile(record, options.record)
    return records.show(record)


async def _locust(
    options: Options, urls: Sequence[str], tokens: Path, record: Path, environ: Mapping[str, str]
) -> None:
    """Raises `RunError` unless it ended well and in time. Failed requests are facts, and no bad end."""
    command = [sys.executable, "-m", "locust", "-f", str(_LOCUSTFILE), "--headless"]
    command += ["--only-summary", "--json-file", str(record.with_name("locust"))]  # no tables beside ours
    command += ["--loglevel", "WARNING", "--exit-code-on-error", "0", "--users", str(options.users)]
    command += ["--spawn-rate", str(options.spawn_rate), "--run-time", f"{options.seconds}s"]
    command += ["--rooms", str(options.rooms), "--tokens", str(tokens), "--record", str(record)]
    command += [part for url in urls for part in ("--url", url)]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=dict(environ), stdin=DEVNULL, stdout=DEVNULL, start_new_session=True
    )
    try:
        async with asyncio.timeout(options.seconds + _GRACE_SECONDS):
            code = await process.wait()
    except TimeoutError:
        raise RunError("the users did not end in time") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    _check_end(code, record)


def _check_tokens(tokens: Path, users: int) -> None:
    count = len(tokens.read_text().split())
    if count < users:
        raise RunError(f"{users} users need as many tokens; {tokens.name} holds {count}")


def _check_end(code: int, record: Path) -> None:
    if code or not record.exists():
        raise RunError(f"locust ended with exit code {code}{'' if record.exists() else ', and left no record'}")
