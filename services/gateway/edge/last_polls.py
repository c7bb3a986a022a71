"""The last polls of sessions that the server has ended: their clients may have been between two polls."""

from services.gateway.edge.limits import Limits
from services.gateway.edge.polling import Polling
from services.gateway.edge.session import Session
from services.gateway.edge.wheel import Wheel


class LastPolls:
    """Keeps such a session until its client has been told everything, for the ping timeout at most."""

    def __init__(self, limits: Limits) -> None:
        self._seconds = limits.ping_timeout
        self._sessions: dict[str, Session] = {}
        self._wheel: Wheel[str] = Wheel(self._give_up, tick=min(0.25, limits.ping_timeout / 10))

    def expect(self, session: Session) -> None:
        """The server is about to end `session`; nothing if it does not poll."""
        if isinstance(session.transport, Polling):
            session.transport.lingers = True
            self._sessions[session.sid] = session
            self._wheel.add(session.sid, self._seconds)

    def find(self, sid: str) -> Session | None:
        """The session, if its client has not been told everything."""
        session = self._sessions.get(sid)
        return session if session is not None and session.transport.unsent else None

    def told(self, session: Session) -> None:
        """A poll of `session`, which has ended, was answered: forget it if nothing is left to be told."""
        if not session.transport.unsent:
            self._sessions.pop(session.sid, None)

    @property
    def parting(self) -> int:
        """How many are still to be told something."""
        return sum(session.transport.unsent > 0 for session in self._sessions.values())

    def stop(self) -> None:
        """Keep no time any more: the process ends."""
        self._wheel.stop()

    def _give_up(self, sid: str) -> None:
        session = self._sessions.pop(sid, None)
        if session is not None:
            session.transport.abort()
