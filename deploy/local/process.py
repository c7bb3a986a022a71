"""One supervised process: started, its output passed on line by line, stopped, reaped."""

import asyncio
import ctypes
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

Sink = Callable[[str, str], None]
"""Gets the name of a process and a line of its output."""

_LONGEST_LINE = 1 << 20
_PR_SET_PDEATHSIG = 1


class StackError(Exception):
    """The stack cannot start or go on; the message is the one line to show."""


class Child:
    """A process of the stack. It is in a session of its own, so that Ctrl-C reaches the supervisor alone."""

    def __init__(
        self, name: str, command: Sequence[str], *, cwd: Path, environ: Mapping[str, str], sink: Sink
    ) -> None:
        self.name = name
        self._command = command
        self._cwd = cwd
        self._environ = environ
        self._sink = sink
        self._process: Process | None = None
        self._pump: asyncio.Task[None] | None = None
        self._last_lines: deque[str] = deque(maxlen=5)
        self._is_told = False

    @property
    def pid(self) -> int:
        """Of the running process."""
        if self._process is None:
            raise StackError(f"{self.name} was never started")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def has_fallen(self) -> bool:
        """Whether it ended though nobody has told it to."""
        return self._process is not None and not self.is_running and not self._is_told

    async def start(self) -> None:
        """Start it; raises `StackError` when that cannot be done."""
        self._is_told = False
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=self._cwd,
                env=dict(self._environ),
                stdout=PIPE,
                stderr=STDOUT,
                limit=_LONGEST_LINE,
                start_new_session=True,
                preexec_fn=end_with_parent,
            )
        except FileNotFoundError:
            raise StackError(f"{self.name}: {self._command[0]} is not installed") from None
        except OSError as error:
            raise StackError(f"{self.name}: {self._command[0]}: {error.strerror}") from None
        self._pump = asyncio.create_task(self._pass_on_output(self._process))

    async def ended(self) -> str:
        """Wait until it ends; returns how, in one line."""
        if self._process is None:
            raise StackError(f"{self.name} was never started")
        code = await self._process.wait()
        if self._pump is not None:
            await asyncio.wait({self._pump}, timeout=1)
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        last = next((line for line in reversed(self._last_lines) if line.strip()), "")
        return f"{self.name} {how}{': ' + last if last else ''}"

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to it, if it runs."""
        if self.is_running and self._process is not None:
            self._process.send_signal(number)

    async def stop(self, *, timeout: float = 17.0) -> int:
        """SIGTERM, then SIGKILL after `timeout` seconds; returns the exit code once it is reaped."""
        if self._process is None:
            return 0
        self._is_told = self._is_told or self.is_running
        self.send_signal(signal.SIGTERM)
        self.send_signal(signal.SIGCONT)
        try:
            async with asyncio.timeout(timeout):
                await self._process.wait()
        except TimeoutError:
            self._sink(self.name, f"did not end within {timeout:g} s, killed")
            await self.kill()
        if self._pump is not None:
            await asyncio.wait({self._pump}, timeout=1)
        return await self._process.wait()

    async def kill(self) -> None:
        """SIGKILL, and reap."""
        self._is_told = self._is_told or self.is_running
        self.send_signal(signal.SIGKILL)
        if self._process is not None:
            await self._process.wait()

    async def _pass_on_output(self, process: Process) -> None:
        if process.stdout is None:
            return
        while line := await self._read_line(process.stdout):
            text = line.decode(errors="replace").rstrip()
            self._last_lines.append(text)
            self._sink(self.name, text)

    @staticmethod
    async def _read_line(stream: asyncio.StreamReader) -> bytes:
        try:
            return await stream.readline()
        except ValueError:  # a line above the limit is dropped, not the process's whole output
            return b"[line too long]\n"


async def run(name: str, command: Sequence[str], *, cwd: Path, environ: Mapping[str, str], sink: Sink) -> None:
    """Run a process to its end; raises `StackError` when its exit code is not 0."""
    child = Child(name, command, cwd=cwd, environ=environ, sink=sink)
    await child.start()
    try:
        how = await child.ended()
    finally:
        await child.kill()
    if await child.stop():
        raise StackError(how)


def end_with_parent() -> None:
    """To be called in a process that was just forked: it is killed when its parent ends, however that ends.

    So even a supervisor that was killed with -9 leaves nothing behind. Of Linux; elsewhere it does nothing.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
