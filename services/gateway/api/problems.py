"""Errors over HTTP: `application/problem+json` (RFC 9457), with a code of the client contract."""

import math
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

import msgspec
import structlog
from aiohttp import hdrs, web

from services.gateway.edge import tracebacks
from wire.errors import ErrorCode, ParleyError

_STATUS: Final = {
    ErrorCode.UNAUTHORIZED: HTTPStatus.UNAUTHORIZED,
    ErrorCode.EXPIRED: HTTPStatus.UNAUTHORIZED,
    ErrorCode.FORBIDDEN: HTTPStatus.FORBIDDEN,
    ErrorCode.INVALID: HTTPStatus.BAD_REQUEST,
    ErrorCode.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ErrorCode.RATE_LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
    ErrorCode.NOT_JOINED: HTTPStatus.CONFLICT,
    ErrorCode.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
}

_CODES: Final = {
    HTTPStatus.TOO_MANY_REQUESTS: ErrorCode.RATE_LIMITED,
    HTTPStatus.SERVICE_UNAVAILABLE: ErrorCode.UNAVAILABLE,
}
"""Of what aiohttp and the edge refuse; anything else is `invalid`."""

_CODE: Final = web.ResponseKey("code", ErrorCode)

log = structlog.get_logger()


class HttpProblem(msgspec.Struct, frozen=True):
    """The body of an error."""

    title: str
    status: int
    code: ErrorCode
    detail: str
    retry_after: float | msgspec.UnsetType = msgspec.UNSET
    """Seconds."""
    type: str = "about:blank"


@web.middleware
async def as_problems(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Turn every failure of `handler` into a problem; one line in the log for those that are ours."""
    try:
        return await handler(request)
    except ParleyError as error:
        return response(error.code, error.message, retry_after=error.retry_after)
    except web.HTTPRequestEntityTooLarge:
        return response(ErrorCode.TOO_LARGE, "the request is too large")
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        tracebacks.drop(error)  # the request has it, where there is no such route
        busy = error.headers.get(hdrs.RETRY_AFTER)
        return response(
            _CODES.get(HTTPStatus(error.status), ErrorCode.INVALID),
            error.reason,
            status=HTTPStatus(error.status),
            retry_after=None if busy is None else float(busy),
            allow=error.headers.get(hdrs.ALLOW),
        )
    except ConnectionError:
        raise  # whoever asked has gone, which is no failure of ours; aiohttp ends what is left
    except Exception:
        log.exception("request failed", method=request.method, path=request.path)
        return response(ErrorCode.INTERNAL, "internal error")


def status_of(code: ErrorCode) -> HTTPStatus:
    """The one that `code` has over HTTP."""
    return _STATUS[code]


def response(
    code: ErrorCode,
    detail: str,
    *,
    status: HTTPStatus | None = None,
    retry_after: float | None = None,
    allow: str | None = None,
) -> web.Response:
    """The answer that tells of `code`; `status` where HTTP has a better one than the code's own."""
    status = status or status_of(code)
    problem = HttpProblem(
        title=status.phrase,
        status=status,
        code=code,
        detail=detail,
        retry_after=msgspec.UNSET if retry_after is None else retry_after,
    )
    headers = {}
    if retry_after is not None:
        headers[hdrs.RETRY_AFTER] = str(math.ceil(retry_after))
    if allow is not None:
        headers[hdrs.ALLOW] = allow
    body = msgspec.json.encode(problem)
    answer = web.Response(body=body, status=status, content_type="application/problem+json", headers=headers)
    answer[_CODE] = code
    return answer


def code_of(answer: web.StreamResponse) -> ErrorCode:
    """What `answer`, which is an error, tells of."""
    code: ErrorCode = answer.get(_CODE, ErrorCode.INVALID)
    return code
