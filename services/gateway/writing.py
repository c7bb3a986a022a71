"""Writing what waits to sessions: all of it, or to those who are behind what is left of it."""

from collections.abc import Collection

import structlog

from services.gateway.edge.session import Reason, Session
from services.gateway.joined_frames import Waiting, framed, joined

log = structlog.get_logger()


def write(session: Session, waiting: list[Waiting]) -> None:
    """Write it to one client."""
    session.sent += len(waiting)
    if session.newest is None:
        session.write(joined(waiting))
    elif in_order := _keep_newest([session], waiting):
        session.write(in_order)


def write_all(sessions: Collection[Session], waiting: list[Waiting]) -> None:
    """Write it to all of them. Whatever happens to one, the others get theirs. Never raises."""
    if any(each.key for each in waiting):
        behind = [session for session in sessions if session.newest is not None]
        if behind:
            sessions = [session for session in sessions if session.newest is None]
            if in_order := _keep_newest(behind, waiting):
                _write_each(behind, in_order, len(waiting))
    _write_each(sessions, joined(waiting), len(waiting))


def _keep_newest(behind: list[Session], waiting: list[Waiting]) -> bytes:
    """Keep for each of `behind` what may be superseded; returns what they get as everybody does."""
    keyed = [(each.key, framed(each.packet, each.offset)) for each in waiting if each.key is not None]
    for session in behind:
        for key, frame in keyed:
            if session.newest is not None:  # it may be let go for what waits for all together
                session.newest.put(key, frame)
    return joined([each for each in waiting if each.key is None])


def _write_each(sessions: Collection[Session], data: bytes, packets: int) -> None:
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
