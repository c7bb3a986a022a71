"""Calls that are answered later, with the outcome of work that takes time."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from runtime import tracing
from runtime.failures import Failures
from services.gateway.call import Call
from services.gateway.replies import Done
from wire.errors import ErrorCode, ParleyError

log = structlog.get_logger()


class Answering:
    """Keeps hold of the work until it is done."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures = Failures()

    def later(self, call: Call, work: Coroutine[Any, Any, Done], *, in_turn: bool = False) -> None:
        """Answer `call` with the outcome of `work`; `in_turn`: what the client sent behind it waits for that."""
        call.connection.event_began()
        if in_turn:
            call.connection.session.hold()
        task = asyncio.ensure_future(self._answer(call, work, in_turn=in_turn))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, call: Call, work: Coroutine[Any, Any, Done], *, in_turn: bool) -> None:
        try:
            await self._answer_traced(call, work)
        finally:
            call.connection.event_ended()
            if in_turn and not call.connection.session.closed:
                call.connection.session.release()

    async def _answer_traced(self, call: Call, work: Coroutine[Any, Any, Done]) -> None:
        connection = call.connection
        with tracing.request(call.name, {"parley.connection": connection.id}) as request:
            try:
                call.done(await work)
            except ParleyError as error:
                is_ours = error.code is ErrorCode.UNAVAILABLE
                request.failed(error.code, is_ours=is_ours)
                call.failed(error)
                if is_ours:  # its client's own mistakes are counted in the line of its connection's life
                    user = connection.bearer.user.id
                    self._failures.note(
                        "event failed", error.code, kind=call.name, connection=connection.id, user=user
                    )
            except Exception:  # noqa: BLE001 - a defect of ours must not take the connection with it
                request.failed(ErrorCode.INTERNAL, is_ours=True)
                failed(call)


def failed(call: Call) -> None:
    """Answer that an exception, which is being handled, is a defect of ours; and log it."""
    log.error("event failed", event_name=call.name, exc_info=True)  # noqa: LOG014 - while it is handled
    call.failed(ParleyError(ErrorCode.INTERNAL, "internal error"))
