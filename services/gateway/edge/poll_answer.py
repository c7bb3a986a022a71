"""The answer to a poll, which its client may take its time to read."""

import asyncio

from aiohttp import web

from services.gateway.edge.polling import Polling


async def send(request: web.Request, response: web.Response, transport: Polling) -> None:
    """Send `response`, and return once its client has taken it; until then `transport` owes it.

    Raises `ConnectionError` when the client has gone.
    """
    stream = request.transport
    if stream is None or stream.is_closing():
        raise ConnectionResetError
    transport.begin_answer(stream)
    # In the next turn of the loop the kernel has had what it takes at once: the rest waits.
    counting = asyncio.get_running_loop().call_soon(transport.count)
    try:
        stream.set_write_buffer_limits(high=0)  # aiohttp waits for all of it to leave
        await response.prepare(request)
        await response.write_eof()
    finally:
        counting.cancel()
        transport.end_answer()
        if not stream.is_closing():
            stream.set_write_buffer_limits()
