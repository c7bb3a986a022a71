"""The requests of a client that polls: what it is given, and what it brings."""

import asyncio

from aiohttp import web

from services.gateway.edge import frames, metrics, payload, poll_answer, responses
from services.gateway.edge.polling import DuplicatePollError, Polling
from services.gateway.edge.session import Reason, Session


async def get(request: web.Request, session: Session, transport: Polling) -> web.StreamResponse:
    """What waits for the client, as soon as something does; two polls at a time end the session."""
    try:
        answer = responses.payload(await transport.poll(), request)
        await poll_answer.send(request, answer, transport)
    except DuplicatePollError:
        session.close(Reason.TRANSPORT_ERROR, last=frames.CLOSE)
        return responses.refused(responses.BAD_REQUEST, request)
    except (asyncio.CancelledError, ConnectionError):
        # Whoever polled has hung up, and perhaps with an answer on its way.
        session.close(Reason.TRANSPORT_CLOSE)
        raise asyncio.CancelledError from None
    return answer


async def post(request: web.Request, session: Session, transport: Polling) -> web.StreamResponse:
    """Take packets from the client, one request at a time; answered when more of them would be handled."""
    if transport.posting:
        session.close(Reason.TRANSPORT_ERROR, last=frames.CLOSE)
        return responses.refused(responses.BAD_REQUEST, request)
    transport.posting = True
    try:
        return await _take_in(request, session, transport)
    finally:
        transport.posting = False


async def _take_in(request: web.Request, session: Session, transport: Polling) -> web.StreamResponse:
    limits = session.owner.limits
    size = request.content_length or 0
    if size > limits.payload_most:
        session.close(Reason.TRANSPORT_ERROR, last=frames.CLOSE)
        raise web.HTTPRequestEntityTooLarge(limits.payload_most, size)
    try:
        async with asyncio.timeout(limits.body_timeout):
            body = await request.read()
        metrics.received_bytes.value += len(body)
        packets = payload.decode(body.decode())
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except web.HTTPRequestEntityTooLarge:  # once inflated
        session.close(Reason.TRANSPORT_ERROR, last=frames.CLOSE)
        raise
    except (ValueError, web.RequestPayloadError):  # no packets, or nothing that inflates
        session.owner.malformed(session)
        return responses.refused(responses.BAD_REQUEST, request)
    metrics.received_packets.value += len(packets)
    for packet in packets:
        session.receive(packet)
    session.owner.pace.took(session, len(packets))
    await transport.ready()
    if session.closed and packets[-1] != "1":
        return responses.refused(responses.BAD_REQUEST, request)
    return responses.taken(request)
