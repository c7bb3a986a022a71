"""What somebody says, as a message for the stream: the same rules for clients, users over HTTP, and backends."""

import time

from services.gateway.checks import check_body, check_data
from services.gateway.requests import SendMessage
from wire.messages import Author, ChatMessage


def composed(author: Author, request: SendMessage) -> ChatMessage:
    """The message that `author` wants to send, now. Raises `ParleyError`: invalid, too_large."""
    check_body(request.body)
    check_data(request.data)
    return ChatMessage(
        id=request.id, author=author, body=request.body, ts=time.time_ns() // 1_000_000, data=request.data
    )
