"""What the account of history's consumer says, which nats-server keeps."""

from nats.js.api import ConsumerInfo, StreamState

from runtime import stored
from runtime.bus import Bus
from runtime.stored import Stored, Wanted
from wire import streams


def floor(info: ConsumerInfo) -> int:
    """Up to which seq all has been acknowledged; 0: nothing."""
    return 0 if info.ack_floor is None else info.ack_floor.stream_seq


def delivered_upto(info: ConsumerInfo) -> int:
    """The highest seq that anybody has fetched; 0: none."""
    return 0 if info.delivered is None else info.delivered.stream_seq


def waiting(info: ConsumerInfo) -> int:
    """How many messages were not fetched, or not acknowledged yet."""
    return (info.num_pending or 0) + (info.num_ack_pending or 0)


async def first_above_floor(bus: Bus, info: ConsumerInfo) -> Stored | None:
    """The oldest message that is not known to be acknowledged, as the stream's leader has it; None: there is none.

    Raises `ParleyError` (unavailable) when it does not answer, and `WireError`.
    """
    return await stored.get(bus, streams.MESSAGES, Wanted(seq=floor(info) + 1, next_by_subj=">"))


def acknowledged_upto(stream: StreamState, info: ConsumerInfo) -> int:
    """The highest seq that the consumer says was persisted, of what the stream still holds; 0: nothing of that was.

    What has left the stream unread moves what the consumer says as well, and tells nothing.
    """
    upto = floor(info)
    return upto if upto >= stream.first_seq else 0
