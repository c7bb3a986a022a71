"""Whoever has much to say to a client waits until it has read some of it."""

import asyncio
from typing import Final

from services.gateway.edge.session import Reason, Session

_LOOK_SECONDS: Final = 0.02
_LOOK_SECONDS_MOST: Final = 0.25


def has_much_to_read(session: Session) -> bool:
    """Whether a quarter of what may wait for its client does: whoever has much more to say waits."""
    return session.transport.unsent > session.owner.limits.unsent_most // 4


async def caught_up(session: Session) -> None:
    """Wait until no more than an eighth of what may wait for its client does, or the session is over.

    Aborts it once the client has read nothing for the ping timeout: while it is held, no heartbeat does.
    """
    limits, loop = session.owner.limits, asyncio.get_running_loop()
    enough, pause = limits.unsent_most // 8, _LOOK_SECONDS
    before, since = session.transport.unsent, loop.time()
    while not session.closed and (unsent := session.transport.unsent) > enough:
        if unsent < before:
            since = loop.time()
            # When it will have read enough if it goes on like this: thousands may be waited for.
            pause = min(max(pause * (unsent - enough) / (before - unsent), _LOOK_SECONDS), _LOOK_SECONDS_MOST)
        elif loop.time() - since > limits.ping_timeout:
            session.abort(Reason.PING_TIMEOUT)
        else:
            pause = min(pause * 2, _LOOK_SECONDS_MOST)
        before = unsent
        await asyncio.sleep(pause)
