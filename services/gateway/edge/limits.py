"""What a peer may cost, and for how long: over WebSockets, over HTTP, and to the API; and how many may come."""

import msgspec

KIB = 1024
MIB = 1024 * KIB


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds, bytes and counts. The defaults are those of the Engine.IO protocol where it has any.

    Of what has 0 as its default, 0 is no limit.
    """

    ping_interval: float = 25.0
    ping_timeout: float = 20.0
    """How long the answer to a ping may take."""
    connect_timeout: float = 5.0
    """How long a session may be in no namespace."""
    refused_timeout: float = 1.0
    """The same after a refusal: long enough for it to be read."""
    upgrade_timeout: float = 10.0
    """From a WebSocket that wants to take over a polling session to its having done so."""
    close_timeout: float = 2.0
    """How long the client's part of a closing handshake may take."""
    first_request_timeout: float = 10.0
    """From an HTTP connection to its first request."""
    body_timeout: float = 10.0
    """How long the body of a request may take to come."""
    answer_timeout: float = 60.0
    """From an HTTP request to its answer's having been taken: longer than a poll that waits for the next ping."""
    keep_alive_timeout: float = 75.0
    """How long an HTTP connection may be idle after an answer; aiohttp would keep it for an hour."""
    payload_most: int = 64 * KIB
    """Of one message, or of the body of one request."""
    attachments_most: int = 16
    """Binary attachments of one packet; all together they are bounded by `payload_most`."""
    unsent_most: int = MIB
    """What may wait for one client to read it; and a quarter of it of what is superseded while it does."""
    unsent_total_most: int = 256 * MIB
    """What may wait for all clients together; above it, those who are furthest behind go first."""
    stall_timeout: float = 5.0
    """How long a client may read nothing of what waits for it."""
    sessions_most: int = 0
    """At once."""
    sessions_per_address_most: int = 0
    """The same for one address, or the first 64 bits of an IPv6 address."""
    handshakes_per_second: float = 0.0
    """Sessions opened."""
    handshake_burst: int = 1
    """How many of them at once, after a pause."""
    frames_per_second: float = 0.0
    """What one client may send for long; whoever sends more is read more slowly."""
    http_connections_most: int = 0
    """Connections that are no WebSockets; above it, those go that carry no request, and no other request is taken."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks, as CIDR, whose word is taken for whom a request is from; see `addresses`."""
