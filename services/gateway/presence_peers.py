"""The other gateways: which of them live, as far as this one hears. Rules, no I/O.

`now` is of the clock of `Keeper`, so that nobody is taken for dead by a gateway that did not listen.
"""

from typing import Final

from wire.presence import Heartbeat

_SILENT_MOST: Final = 1024
_STANDINGS: Final = 2.5
"""Of these one may be lost."""


class _Peer:
    __slots__ = ("beat_at", "lease", "standing")

    def __init__(self, beat_at: float, lease: float, standing: float) -> None:
        self.beat_at = beat_at
        self.lease = lease
        self.standing = standing


class Peers:
    """A gateway lives from the moment on in which it is heard of, for as long as it says that it does."""

    def __init__(self, lease: float, standing: float) -> None:
        """`lease` and `standing` of one that has not said it yet."""
        self._lease = lease
        self._standing = standing
        self._peers: dict[str, _Peer] = {}
        self._silent: dict[str, None] = {}
        """Those whose lease ran out: what they say of rooms holds only once they are heard to live."""

    def __len__(self) -> int:
        """How many live."""
        return len(self._peers)

    def believes(self, gateway: str, now: float) -> bool:
        """Whether what it says of a room holds."""
        if gateway in self._silent:
            return False
        if gateway not in self._peers:
            self._peers[gateway] = _Peer(now, self._lease, self._standing)
        return True

    def beat(self, heartbeat: Heartbeat, now: float) -> bool:
        """It lives; returns whether it was taken for dead."""
        peer = self._peers.get(heartbeat.gateway)
        if peer is None:
            self._peers[heartbeat.gateway] = _Peer(now, heartbeat.lease, heartbeat.standing)
        else:
            peer.beat_at, peer.lease, peer.standing = now, heartbeat.lease, heartbeat.standing
        return self._silent.pop(heartbeat.gateway, self) is None

    def end(self, gateway: str) -> None:
        """It has ended."""
        self._peers.pop(gateway, None)
        self._silent.pop(gateway, None)

    def overdue(self, now: float) -> list[str]:
        """Those whose lease has run out; each once."""
        overdue = [name for name, peer in self._peers.items() if now - peer.beat_at > peer.lease]
        for each in overdue:
            del self._peers[each]
            self._silent[each] = None
            if len(self._silent) > _SILENT_MOST:
                del self._silent[next(iter(self._silent))]
        return overdue

    def due(self, gateway: str) -> float:
        """If it has not spoken of a room since then, although it lives, nobody is there."""
        peer = self._peers.get(gateway)
        return float("-inf") if peer is None else peer.beat_at - _STANDINGS * peer.standing

    def clear(self) -> None:
        """Nobody is listened to any more."""
        self._peers.clear()
        self._silent.clear()
