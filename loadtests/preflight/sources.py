"""Addresses to connect from."""

import ipaddress
import socket
from collections.abc import Iterator

from loadtests.preflight.need import Finding, Need
from loadtests.preflight.proc import Proc


def look(need: Need, _proc: Proc) -> Iterator[Finding]:
    """Each must be an address of this machine, and of the kind that the targets have."""
    for source in need.sources:
        if _version(source) is None:
            yield Finding(f"{source} is no IP address", "give one of this machine's: ip address", refuses=True)
            continue
        if not is_local(source):
            yield Finding(
                f"{source} is no address of this machine", f"ip address add {source} dev DEVICE", refuses=True
            )
            continue
        for target, _ in need.targets:
            if _version(target) not in {None, _version(source)}:
                problem = f"there is no way from {source} to {target}: one is IPv4, the other IPv6"
                yield Finding(problem, "give a --source of the target's kind", refuses=True)
                break


def is_local(address: str) -> bool:
    """Whether connections can be made from it: a socket can be bound to it. False for what is no address."""
    version = _version(address)
    if version is None:
        return False
    try:
        with socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6) as bound:
            bound.bind((address, 0))
    except OSError:
        return False
    return True


def _version(address: str) -> int | None:
    try:
        return ipaddress.ip_address(address).version
    except ValueError:
        return None
