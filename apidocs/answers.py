"""What a route answers, problems among it, as responses of OpenAPI."""

from http import HTTPStatus
from typing import Any, Final

from apidocs.described import Route
from apidocs.schemas import Json, Schemas
from services.gateway import problems
from wire.errors import ErrorCode

_PROBLEM: Final = "application/problem+json"
_ALWAYS: Final = (ErrorCode.INVALID, ErrorCode.RATE_LIMITED, ErrorCode.UNAVAILABLE, ErrorCode.INTERNAL)
_MEANING: Final = {
    400: "Something is wrong with the request, and `detail` says what.",
    401: "No token, one that is not good (`unauthorized`), or not any more (`expired`).",
    403: "The bearer may not do this.",
    404: "There is no such thing.",
    408: "The body did not come in time.",
    409: "The room was not joined.",
    411: "The body has no length.",
    413: "The request is too large.",
    429: "Too many requests; try again after `retry_after` seconds.",
    500: "An error of ours. Nothing is known of the outcome.",
    503: "The outcome is unknown: ask again, with the same id.",
}


def responses(route: Route, schemas: Schemas, shared: Json) -> dict[int, Json]:
    """By status. What many routes answer alike goes into `shared`, by a name."""
    found: dict[int, Json] = {}
    for status, (text, kind) in route.answers.items():
        found[status] = {"description": text, **_content(kind, schemas)}
    for status, codes in [] if route.is_admin else _problems(route):
        if status in found:
            found[status]["content"][_PROBLEM] = {"schema": _problem(status, codes)}
        elif status in route.also:
            content = {_PROBLEM: {"schema": _problem(status, codes)}}
            found[status] = {"description": route.also[status], "content": content}
        else:
            found[status] = {"$ref": f"#/components/responses/{_shared(status, codes, shared)}"}
    return found


def _shared(status: int, codes: list[str], shared: Json) -> str:
    """The name of a response that many routes have."""
    name = "-".join((str(status), *codes))
    shared[name] = {"description": _MEANING[status], "content": {_PROBLEM: {"schema": _problem(status, codes)}}}
    return name


def _content(kind: Any, schemas: Schemas) -> Json:
    if kind is None:
        return {}
    if isinstance(kind, str):
        schema: Json = {"type": "object"} if kind.endswith("json") else {"type": "string"}
        return {"content": {kind: {"schema": schema}}}
    return {"content": {"application/json": {"schema": schemas.of(kind, sent=True)}}}


def _problems(route: Route) -> list[tuple[int, list[str]]]:
    codes = [*_ALWAYS, *route.codes]
    if route.bearer:
        codes += (
            [ErrorCode.UNAUTHORIZED] if route.bearer == ("service",) else [ErrorCode.UNAUTHORIZED, ErrorCode.EXPIRED]
        )
    also: dict[int, list[str]] = {status: ["invalid"] for status in route.also}
    if route.body is not None:
        codes.append(ErrorCode.TOO_LARGE)
        also[int(HTTPStatus.REQUEST_TIMEOUT)] = ["invalid"]
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys(codes):
        by_status.setdefault(int(problems.status_of(code)), []).append(code.value)
    return [*by_status.items(), *also.items()]


def _problem(status: int, codes: list[str]) -> Json:
    said = {"properties": {"status": {"const": status}, "code": {"enum": codes}}}
    return {"allOf": [{"$ref": "#/components/schemas/HttpProblem"}, said]}
