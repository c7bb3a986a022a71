"""Bodies of the HTTP API: read and validated in one pass, and written."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import TypeVar

import msgspec
from aiohttp import web

from wire import codec
from wire.errors import ErrorCode, ParleyError

T = TypeVar("T", bound=msgspec.Struct)


async def read(request: web.Request, kind: type[T], *, timeout: float) -> T:
    """The body of `request`, within `timeout` seconds. Raises `ParleyError` (invalid), and what aiohttp raises."""
    try:
        async with asyncio.timeout(timeout):
            body = await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout(reason=f"the body did not come within {timeout:g} s") from None
    except web.RequestPayloadError:
        raise ParleyError(ErrorCode.INVALID, "the body is not what its headers say") from None
    try:
        return codec.Decoder(kind).decode(body)
    except codec.WireError as error:
        raise ParleyError(ErrorCode.INVALID, str(error)) from None


def converted(values: Mapping[str, str], kind: type[T]) -> T:
    """What a path and a query say. Raises `ParleyError` (invalid)."""
    try:
        return msgspec.convert(dict(values), kind, strict=False)
    except msgspec.ValidationError as error:
        raise ParleyError(ErrorCode.INVALID, codec.reason(error)) from None


def answer(body: msgspec.Struct, status: HTTPStatus) -> web.Response:
    """An answer that has a body."""
    return web.Response(body=msgspec.json.encode(body), content_type="application/json", status=status)
