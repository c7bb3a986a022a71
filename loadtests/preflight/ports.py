"""Local ports: each connection from one address to one target takes another, of some 28,000."""

import ipaddress
import math
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from loadtests.preflight.need import Finding, Need
from loadtests.preflight.proc import Proc, Socket

_SPARE: Final = 100
"""Beyond what is needed: connections that just end."""
_WIDEST: Final = (1024, 65535)
_SHOWN_SOURCES: Final = 4
_LISTEN: Final = 0x0A
_TIME_WAIT: Final = 0x06


def look(need: Need, proc: Proc) -> Iterator[Finding]:
    """For the target that has the fewest left. One finding at most: all targets have the same bounds."""
    span = proc.numbers("proc/sys/net/ipv4/ip_local_port_range")
    if len(span) != 2 or not 0 < span[0] <= span[1] <= 65535 or not need.targets:
        return
    reserved = _reserved(proc.text("proc/sys/net/ipv4/ip_local_reserved_ports"))
    all_of_them = [port for port in range(span[0], span[1] + 1) if port not in reserved]
    sources = max(len(need.sources), 1)
    needed = math.ceil((need.each_target) / sources) + _SPARE
    taken = _most_taken(need, proc, set(all_of_them))
    left = len(all_of_them) - taken
    if needed > left:
        problem = (
            f"{needed - _SPARE} connections from one address to one target need {needed} local ports, and {left} are "
            f"free ({span[0]} to {span[1]}: {len(all_of_them)} that are not reserved, {taken} in use)"
        )
        widest = len([port for port in range(_WIDEST[0], _WIDEST[1] + 1) if port not in reserved]) - taken
        yield Finding(problem, "\n".join(_ways(need, needed, left, widest)), refuses=True)


def _ways(need: Need, needed: int, left: int, widest: int) -> Iterator[str]:
    """`left` ports there are for each source and target, `widest` there would be at most."""
    if left < needed <= widest:
        yield f'sysctl -w net.ipv4.ip_local_port_range="{_WIDEST[0]} {_WIDEST[1]}"'
    room = (left if left > _SPARE else widest) - _SPARE
    if room <= 0:
        return
    count = math.ceil((need.each_target) / room)
    holder = "(with python -m loadtests.connections)"
    if _is_loopback(need.targets[0][0]):
        names = [f"--source 127.0.0.{number}" for number in range(1, min(count, _SHOWN_SOURCES) + 1)]
        more = f" ... ({count} in all)" if count > _SHOWN_SOURCES else ""
        yield f"{' '.join(names)}{more}   {holder}"
    else:
        yield f"--source ADDRESS for each of {count} addresses of this machine   {holder}"
        targets = math.ceil(need.connections / room / max(len(need.sources), 1))
        yield f"--url URL for each of {targets} addresses or ports that lead to the system"


def _reserved(text: str) -> set[int]:
    """As in `8080,9000-9010`; a part that is none of that is left out."""
    found: set[int] = set()
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        with suppress(ValueError):
            found.update(range(max(int(first), 0), min(int(last or first), 65535) + 1))
    return found


def _most_taken(need: Need, proc: Proc, ports: set[int]) -> int:
    sockets = [each for each in proc.sockets() if each.local_port in ports and each.state != _LISTEN]
    if _may_reuse(need, proc):
        sockets = [each for each in sockets if each.state != _TIME_WAIT]
    sources = [_hexadecimal(source) for source in need.sources] or [set[str]()]
    targets = [(_hexadecimal(host), port) for host, port in need.targets]
    return max(
        len({each.local_port for each in sockets if _is_between(each, source, hosts, port)})
        for hosts, port in targets
        for source in sources
    )


def _is_between(each: Socket, source: set[str], hosts: set[str], port: int) -> bool:
    return each.remote_port == port and each.remote in hosts and (not source or each.local in source)


def _may_reuse(need: Need, proc: Proc) -> bool:
    """Whether Linux takes the port of a connection that has ended, a second later: 1 everywhere, 2 on loopback."""
    reuse = proc.number("proc/sys/net/ipv4/tcp_tw_reuse")
    return reuse == 1 or (reuse == 2 and all(_is_loopback(host) for host, _ in need.targets))


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _hexadecimal(host: str) -> set[str]:
    """All addresses of a host as /proc writes them: words of four bytes, each in the machine's own order."""
    try:
        found = {each[4][0] for each in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except OSError:
        return set()
    words: set[str] = set()
    for address in found:
        with suppress(ValueError):
            packed = ipaddress.ip_address(str(address).partition("%")[0]).packed
            texts = [packed] if len(packed) == 16 else [packed, bytes(10) + b"\xff\xff" + packed]
            words.update(_words(each) for each in texts)
    return words


def _words(packed: bytes) -> str:
    parts = [packed[at : at + 4] for at in range(0, len(packed), 4)]
    return "".join(f"{int.from_bytes(each, sys.byteorder):08X}" for each in parts)
