"""Engine.IO's heartbeat, of all sessions by one timer wheel.

A ping each interval, or each timeout if that is longer; a session whose answer has not come after the timeout ends.
"""

import time

from services.gateway.edge import frames, metrics
from services.gateway.edge.limits import Limits
from services.gateway.edge.session import PING_IS_NEXT, PONG_CAME, Reason, Session
from services.gateway.edge.wheel import Wheel


class Heartbeat:
    """Keeps time for every session that was added."""

    def __init__(self, limits: Limits) -> None:
        self._interval = limits.ping_interval
        self._timeout = limits.ping_timeout
        tick = min(limits.ping_interval, limits.ping_timeout) / 200  # a tenth of a second with the default limits
        self._wheel: Wheel[Session] = Wheel(self._due, tick=tick)

    def add(self, session: Session) -> None:
        """Ping `session` from now on."""
        self._wheel.add(session, self._interval)

    def stop(self) -> None:
        """Ping nobody any more."""
        self._wheel.stop()

    def _due(self, session: Session) -> None:
        if session.closed:
            return
        if session.beat == PING_IS_NEXT:
            self._ping(session)
        elif session.beat == PONG_CAME:
            pause = self._interval - self._timeout
            if pause > 0:
                session.beat = PING_IS_NEXT
                self._wheel.add(session, pause)
            else:
                self._ping(session)
        elif session.held is not None:
            # The answer may be there: it is we who do not read. And the client must not miss its pings for it.
            self._ping(session)
        else:
            session.close(Reason.PING_TIMEOUT)

    def _ping(self, session: Session) -> None:
        if session.beat <= 0:  # otherwise the first is not answered yet, for we do not read
            session.beat = time.monotonic()
        metrics.sent(1, len(frames.PING))
        session.write(frames.PING)
        self._wheel.add(session, self._timeout)
