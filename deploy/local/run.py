"""What `make run` shows: prefixed logs, a table of what listens where, and one clear line when it fails."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from deploy.local.ports import HOST, Ports
from deploy.local.process import StackError
from deploy.local.stack import GATEWAYS, ROOT, Stack

_COLOURS = {"nats": 36, "mongo": 32, "auth": 33, "history": 35, "gateway-1": 34, "gateway-2": 94}
_WIDTH = max(map(len, _COLOURS))


def main() -> int:
    """Run until told to stop: 0; or until something fails: one line that says what, and 1."""
    try:
        return asyncio.run(_main(os.environ))
    except KeyboardInterrupt:
        return 0


async def _main(environ: Mapping[str, str]) -> int:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    running = asyncio.create_task(_run(environ))
    stopped = asyncio.create_task(stopping.wait())
    await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not running.done():
        print("\nstopping; a moment", flush=True)
        running.cancel()
    try:
        with suppress(asyncio.CancelledError):
            await running
    except StackError as error:
        print(f"parley: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


async def _run(environ: Mapping[str, str]) -> None:
    ports = _ports(environ.get("PORT_OFFSET") or "0")
    data = Path(environ.get("DATA_DIR") or ROOT / ".run")
    nats_url, mongo_url = environ.get("NATS_URL", ""), environ.get("MONGO_URL", "")
    credentials = environ.get("CREDENTIALS_DIR")
    stack = Stack(
        data,
        ports,
        sink=_print_line,
        nats_url=nats_url,
        mongo_url=mongo_url,
        credentials=Path(credentials) if credentials else None,
    )
    async with stack:
        print(_table(stack), flush=True)
        raise StackError(await stack.any_ended())


def _ports(offset: str) -> Ports:
    try:
        number = int(offset)
    except ValueError:
        raise StackError("PORT_OFFSET is not a number") from None
    try:
        return Ports.shifted(number)
    except ValueError as error:
        raise StackError(f"PORT_OFFSET: {error}") from None


def _print_line(name: str, line: str) -> None:
    prefix = f"{name:<{_WIDTH}} |"
    if sys.stdout.isatty():
        prefix = f"\033[{_COLOURS.get(name, 37)}m{prefix}\033[0m"
    print(prefix, line, flush=True)


def _table(stack: Stack) -> str:
    ports = stack.ports
    rows = [("gateway-1", stack.gateway_urls[0], ports.gateway_1_admin)]
    rows += [("gateway-2", stack.gateway_urls[1], ports.gateway_2_admin)]
    rows += [("auth", "", ports.auth_admin), ("history", "", ports.history_admin)]
    lines = [f"{'':2}{'':12}{'listens on':28}{'health and metrics'}"]
    lines += [f"  {name:12}{url:28}http://{HOST}:{admin}/readyz /metrics" for name, url, admin in rows]
    monitor = f"http://{HOST}:{ports.nats_monitor}" if "nats" in stack.children else ""
    lines.append(f"  {'nats':12}{_without_secrets(stack.nats_url):28}{monitor}")
    lines.append(f"  {'mongo':12}{_without_secrets(stack.mongo_url).split('/?')[0]:28}")
    rule = "-" * 78
    pages = " and ".join(stack.gateway_urls[: len(GATEWAYS)])
    return "\n".join(
        [
            rule,
            "Parley is ready.",
            *lines,
            "",
            f"  Chat: open {pages} side by side.",
            f"  API:  {stack.gateway_urls[0]}/docs/",
            f"  Data: {stack.data}    Ctrl-C ends everything; the data is kept.",
            rule,
        ]
    )


def _without_secrets(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
