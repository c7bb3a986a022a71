"""What `nats stream backup --no-consumers` and `nats stream restore` do over the wire, for a file of chunks.

https://docs.nats.io/reference/jetstream/api: $JS.API.STREAM.SNAPSHOT and RESTORE. nats-server sends the chunks of an
archive to a subject of ours, each to be acknowledged by an empty message, an empty one being the last; and takes them
the same way.
"""

import asyncio
from typing import Any

import msgspec

from runtime.nats_client import NatsClient

_SECONDS = 20.0
_CHUNK_BYTES = 128 * 1024


class Copy(msgspec.Struct, frozen=True):
    """A stream: how it was declared, what it held, and the archive of its messages."""

    config: dict[str, Any]
    state: dict[str, Any]
    chunks: list[bytes]


async def backup(client: NatsClient, stream: str) -> Copy:
    """Copy `stream` as it is now, without its consumers."""
    inbox = client.new_inbox()
    incoming = await client.subscribe(inbox)
    wanted = {"deliver_subject": inbox, "no_consumers": True, "chunk_size": _CHUNK_BYTES}
    about = await _ask(client, f"$JS.API.STREAM.SNAPSHOT.{stream}", msgspec.json.encode(wanted))
    chunks: list[bytes] = []
    while (message := await incoming.next_msg(timeout=_SECONDS)).data:
        chunks.append(message.data)
        if message.reply:  # the last one has none
            await client.publish(message.reply)
    await incoming.unsubscribe()
    assert chunks
    return Copy(about["config"], about["state"], chunks)


async def restore(client: NatsClient, copy: Copy) -> None:
    """Make the stream as it was."""
    about = {"config": copy.config, "state": copy.state}
    ready = await _ask(client, f"$JS.API.STREAM.RESTORE.{copy.config['name']}", msgspec.json.encode(about))
    async with asyncio.timeout(_SECONDS):
        for chunk in copy.chunks:
            await client.request(ready["deliver_subject"], chunk, timeout=_SECONDS)
        made = await _ask(client, ready["deliver_subject"], b"")
    assert made["state"]["messages"] == copy.state["messages"], made


async def _ask(client: NatsClient, subject: str, payload: bytes) -> dict[str, Any]:
    answer: dict[str, Any] = msgspec.json.decode((await client.request(subject, payload, timeout=_SECONDS)).data)
    assert "error" not in answer, answer
    return answer
