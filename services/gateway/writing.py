"""Writing what waits to sessions: all of it, or to those who are behind what is left of it."""

from collections.abc import Collection

import structlog

from services.gateway.edge import metrics
from services.gateway.edge.session import Reason, Session
from services.gateway.joined_frames import Waiting, framed, joined

log = structlog.get_logger()


def write_one(session: Session, packet: bytes, offset: bytes | None) -> None:
    """Write a Socket.IO packet to one client, at once."""
    frame = framed(packet, offset)
    metrics.sent(1, len(frame))
    session.sent += 1
    session.write(frame)


def write(session: Session, waiting: list[Waiting]) -> None:
    """Write it to one client."""
    if session.newest is not None:
        waiting = _keep_newest([session], waiting)
    if waiting:
        _write_each([session], waiting)


def write_all(sessions: Collection[Session], waiting: list[Waiting]) -> None:
    """Write it to all of them. Whatever happens to one, the others get theirs. Never raises."""
    if any(each.key for each in waiting):
        behind = [session for session in sessions if session.newest is not None]
        if behind:
            sessions = [session for session in sessions if session.newest is None]
            if in_order := _keep_newest(behind, waiting):
                _write_each(behind, in_order)
    _write_each(sessions, waiting)


def _keep_newest(behind: list[Session], waiting: list[Waiting]) -> list[Waiting]:
    """Keep for each of `behind` what may be superseded; returns what they get as everybody does."""
    keyed = [(each.key, framed(each.packet, each.offset)) for each in waiting if each.key is not None]
    for session in behind:
        for key, frame in keyed:
            if session.newest is not None:  # it may be let go for what waits for all together
                session.newest.put(key, frame)
    return [each for each in waiting if each.key is None]


def _write_each(sessions: Collection[Session], waiting: list[Waiting]) -> None:
    data, packets = joined(waiting), len(waiting)
    metrics.sent(len(sessions) * packets, len(sessions) * len(data))
    rest = iter(sessions)
    while True:
        try:
            for session in rest:
                session.sent += packets
                session.write(data)
        except Exception:
            # It should not happen.
            log.exception("a connection cannot be written to")
            session.abort(Reason.TRANSPORT_ERROR)
        else:
            return
