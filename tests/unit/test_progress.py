"""History's account of its consumer."""

import asyncio
from typing import Any, cast

from nats.js.api import ConsumerInfo

from runtime.bus import Bus
from services.history.progress import Progress


def _consumer(created: str, delivered: int) -> ConsumerInfo:
    info: ConsumerInfo = ConsumerInfo.from_response(
        {
            "name": "history",
            "stream_name": "MESSAGES",
            "config": {},
            "created": created,
            "delivered": {"consumer_seq": delivered, "stream_seq": delivered},
            "ack_floor": {"consumer_seq": delivered, "stream_seq": delivered},
        }
    )
    return info


class _Nats:
    """What JetStream says of the consumer."""

    def __init__(self, info: ConsumerInfo) -> None:
        self.jetstream = self
        self.info = info

    async def consumer_info(self, *_: Any) -> ConsumerInfo:
        """As nats-py's."""
        return self.info


def test_a_consumer_that_was_made_anew_is_looked_at() -> None:
    """However soon it was there again: of the old one nothing counts, and the stream may be another, too."""
    nats = _Nats(_consumer("2026-11-28T13:00:00Z", 7))
    progress = Progress(cast(Bus, nats))
    progress.begin_again(nats.info, last_seq=7)
    assert asyncio.run(progress.persisted_upto(at_least=9)) == 7
    assert not progress.is_gone
    nats.info = _consumer("2026-11-28T13:00:01Z", 0)
    assert asyncio.run(progress.persisted_upto(at_least=9)) == 0
    assert progress.is_gone
    progress.begin_again(nats.info, last_seq=0)
    assert not progress.is_gone
    assert progress.highest_seen == 0
