"""What is connected to: a URL, all addresses behind its name, and the addresses that connections come from."""

import asyncio
import errno
import itertools
import socket
import ssl
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from loadtests import kinds
from loadtests.arguments import place_of
from loadtests.light.client import Client
from loadtests.light.connection import ClientError

_PATH: Final = "/socket.io/?EIO=4&transport=websocket"
_BIND_NO_PORT: Final = getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24)
"""The port is chosen with the target, so that each target has all of them. Of Linux; not in Python's `socket`."""


class TargetError(Exception):
    """A URL is none, or leads nowhere; the message is the one line to show."""


class Target:
    """Raises `TargetError`. To be resolved before anything is opened."""

    def __init__(self, url: str, sources: Sequence[str] = ()) -> None:
        try:
            self.host, self.port = place_of(url)
        except ValueError as error:
            raise TargetError(str(error)) from None
        parts = urlsplit(url)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self.request = _upgrade(parts.netloc.rpartition("@")[2])
        self._sources = itertools.cycle(sources) if sources else None
        self._family = _family(sources[0]) if sources else None
        self.addresses = [self.host]
        """Of one kind: that of the sources; otherwise of IPv4, if there are such."""
        self._turns = itertools.cycle(self.addresses)

    async def resolve(self) -> None:
        """Ask for the addresses, once: a name may stand for many gateways. Raises `TargetError`."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise TargetError(f"{self.host} is not known: {error.strerror}") from None
        families = {each[0] for each in found}
        family = self._family or (socket.AF_INET if socket.AF_INET in families else socket.AF_INET6)
        # ::1 and 127.0.0.1 of one name are the same server, which need not listen on both.
        self.addresses = list(dict.fromkeys(str(each[4][0]) for each in found if each[0] == family))
        if not self.addresses:
            raise TargetError(f"there is no way to {self.host} from the --source: one is IPv4, the other IPv6")
        self._turns = itertools.cycle(self.addresses)

    async def open(self, client: Client) -> None:
        """Connect `client`, from the next source to the next address; raises `OSError`."""
        loop, address = asyncio.get_running_loop(), next(self._turns)
        name = self.host if self._tls is not None else None
        if self._sources is None:
            await loop.create_connection(lambda: client, address, self.port, ssl=self._tls, server_hostname=name)
            return
        source = next(self._sources)
        opened = socket.socket(_family(source))
        try:
            opened.setblocking(False)
            opened.setsockopt(socket.IPPROTO_IP, _BIND_NO_PORT, 1)  # sockets of IPv6 have it, too
            opened.bind((source, 0))
            await loop.sock_connect(opened, (address, self.port))
            await loop.create_connection(lambda: client, sock=opened, ssl=self._tls, server_hostname=name)
        except BaseException:
            opened.close()
            raise


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def code_of(error: Exception) -> str:
    """How a failed connection is counted: by the server's code, or by one of `kinds`."""
    match error:
        case ClientError(reason=reason):
            return _said(reason)
        case TimeoutError():
            return kinds.TIMEOUT
        case OSError(errno=errno.EMFILE | errno.ENFILE):
            return kinds.NO_FILES
        case OSError(errno=errno.EADDRNOTAVAIL | errno.EADDRINUSE):
            return kinds.NO_PORTS
        case _:
            return kinds.UNREACHABLE


def _said(reason: bytes) -> str:
    if reason.startswith(b"HTTP/1."):
        return f"HTTP {reason[9:12].decode(errors='replace')}"
    _, found, rest = reason.partition(b'"code":"')
    return rest.partition(b'"')[0].decode(errors="replace") if found else kinds.DISCONNECTED


def _upgrade(host: str) -> bytes:
    lines = (
        f"GET {_PATH} HTTP/1.1",
        f"Host: {host}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
