"""Whose request it is: the peer's address, or, behind proxies that are trusted, the one that they vouch for.

Nothing else in a request has a say: whoever is not behind such a proxy can write what they like into its headers.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from aiohttp import web

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_FORWARDED_FOR: Final = "X-Forwarded-For"
_PORT: Final = re.compile(r"\[([^][]*)\](?::\d{1,5})?|([^:]*):\d{1,5}", re.ASCII)
"""Some proxies write `1.2.3.4:567`, `[::1]` and `[::1]:567`."""
_LONGEST: Final = 64
_REMEMBERED: Final = 4096
"""Addresses: to look at one costs as much as all else that is done with it."""
_COUNTED_BITS: Final = 64
"""Of an IPv6 address: one customer has all that begin with these."""


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """The networks that `texts` name as CIDR; a plain address is one by itself. Raises `ValueError`."""
    return tuple(_plain_network(ip_network(each)) for each in texts)


def client(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """The address of a request from `peer` with these X-Forwarded-For headers; "" if `peer` has none.

    It is the peer's, unless that is in one of the `trusted` networks: then it is the last one in the headers that is
    not, for each proxy adds to the end whom it got the request from. Something that is no address before that is
    found, or if all of them are trusted: the peer's. IPv4 within IPv6 is IPv4, and there is no zone.
    """
    address = _peer(peer.partition("%")[0])
    if address is None:
        return ""
    if _is_in(address, trusted):
        for text in _from_the_end(forwarded):
            hop = _parsed(_without_port(text))
            if hop is None:
                break
            if not _is_in(hop, trusted):
                return str(hop)
    return str(address)


@lru_cache(_REMEMBERED)
def counted(address: str) -> str:
    """What `address` counts as where there is a limit for each: an IPv6 address as the first 64 bits of it."""
    if ":" not in address:
        return address
    return str(IPv6Network((address, _COUNTED_BITS), strict=False).network_address)


class Addresses:
    """The rule for requests, with the proxies that are trusted."""

    def __init__(self, trusted: Sequence[str]) -> None:
        """Raises `ValueError` as `networks`."""
        self._trusted = networks(trusted)

    def of(self, request: web.Request) -> str:
        """Whose `request` it is; see `client`."""
        forwarded = request.headers.getall(_FORWARDED_FOR, ()) if self._trusted else ()
        return client(request.remote or "", forwarded, self._trusted)


def _from_the_end(headers: Sequence[str]) -> Iterator[str]:
    for header in reversed(headers):
        for each in reversed(header.split(",")):
            yield each.strip(" \t")


def _without_port(text: str) -> str:
    found = _PORT.fullmatch(text) if len(text) <= _LONGEST else None
    return text if found is None else found[1] or found[2] or ""


def _parsed(text: str) -> Address | None:
    if "%" in text:
        return None  # a zone means something on its own machine alone, and may be any text
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


_peer: Final = lru_cache(_REMEMBERED)(_parsed)
"""Of addresses that the system tells us; what is in headers may be of any length, and is not remembered."""


def _plain_network(network: Network) -> Network:
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    return network if mapped is None or network.prefixlen < 96 else IPv4Network((mapped, network.prefixlen - 96))


def _is_in(address: Address, trusted: Sequence[Network]) -> bool:
    return any(address in network for network in trusted)
