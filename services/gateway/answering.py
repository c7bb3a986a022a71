"""Calls that are answered later, with the outcome of work that takes time."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from services.gateway.call import Call
from services.gateway.replies import Done
from wire.errors import ErrorCode, ParleyError

log = structlog.get_logger()


class Answering:
    """Keeps hold of the work until it is done."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def later(self, call: Call, work: Coroutine[Any, Any, Done], *, in_turn: bool = False) -> None:
        """Answer `call` with the outcome of `work`; `in_turn`: what the client sent behind it waits for that."""
        call.connection.event_began()
        if in_turn:
            call.connection.session.hold()
        task = asyncio.ensure_future(_answer(call, work, in_turn=in_turn))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def failed(call: Call) -> None:
    """Answer that an exception, which is being handled, is a defect of ours; and log it."""
    log.error("event failed", event_name=call.name, exc_info=True)  # noqa: LOG014 - while it is handled
    call.failed(ParleyError(ErrorCode.INTERNAL, "internal error"))


async def _answer(call: Call, work: Coroutine[Any, Any, Done], *, in_turn: bool) -> None:
    try:
        call.done(await work)
    except ParleyError as error:
        call.failed(error)
    except Exception:  # noqa: BLE001 - a defect of ours must not take the connection with it
        failed(call)
    finally:
        call.connection.event_ended()
        if in_turn and not call.connection.session.closed:
            call.connection.session.release()
