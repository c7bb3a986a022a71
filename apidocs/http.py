"""The HTTP API as OpenAPI 3.1, of the routes that the public port and the admin port really have."""

import re

import msgspec
from aiohttp import web

from apidocs import answers
from apidocs.described import Query, Route, UndescribedError
from apidocs.schemas import Json, Schemas
from apidocs.words.routes import ROUTES
from apidocs.words.tags import ADMIN, TAGS
from services.gateway.api import problems


def routes_of(*applications: web.Application) -> list[str]:
    """All routes, as `GET /path`; of one for any method, those that are described."""
    found: dict[str, None] = {}
    for route in (each for application in applications for each in application.router.routes()):
        path = "" if route.resource is None else route.resource.canonical
        if route.method == "*":
            found.update(dict.fromkeys(each for each in ROUTES if each.partition(" ")[2] == path))
        elif route.method != "HEAD":  # aiohttp's own, beside each GET
            found[f"{route.method} {path}"] = None
    return list(found)


def document(public: web.Application, admin: web.Application, version: str) -> Json:
    """The document. Raises `UndescribedError`."""
    found = routes_of(public, admin)
    if set(found) != ROUTES.keys():
        raise UndescribedError(f"apidocs/words/ and the code differ in {sorted(set(found) ^ ROUTES.keys())}")
    schemas = Schemas()
    schemas.of(problems.HttpProblem, sent=True)
    paths: dict[str, Json] = {}
    shared: Json = {}
    for name in ROUTES:
        method, _, path = name.partition(" ")
        route = ROUTES[name]
        paths.setdefault(path, _admin_server() if route.is_admin else {})[method.lower()] = _operation(
            name, schemas, shared
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Parley over HTTP",
            "version": version,
            "summary": "Sessions, rooms, what was said, and what backends may ask.",
            "description": "Errors are `application/problem+json` (RFC 9457) with a `code`. Clients ignore fields "
            "that they do not know: there may be more of them one day. Pages of the origins in `ALLOWED_ORIGINS` may "
            "ask from elsewhere (CORS), with tokens and without cookies, and read `Retry-After`. Realtime is "
            "Socket.IO, see asyncapi.yaml.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The public port of any gateway (8080 by default)."}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "responses": dict(sorted(shared.items())),
            "securitySchemes": {
                "user": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "A user's access token.",
                },
                "service": {"type": "http", "scheme": "bearer", "description": "A service token, with its scopes."},
            },
        },
    }


def _admin_server() -> Json:
    return {"servers": [{"url": "http://127.0.0.1:9080", "description": f"{ADMIN} of a gateway, by default."}]}


def _operation(name: str, schemas: Schemas, shared: Json) -> Json:
    route = ROUTES[name]
    path = name.partition(" ")[2]
    found: Json = {
        "tags": [route.tag],
        "operationId": _operation_id(name),
        "summary": route.summary,
    }
    text = " ".join(each for each in (route.text, _scope(route)) if each)
    if text:
        found["description"] = text
    if route.bearer:
        found["security"] = [{each: []} for each in route.bearer]
    if parameters := _parameters(path, route.query, schemas):
        found["parameters"] = parameters
    if route.body is not None:
        is_json = not isinstance(route.body, str)
        schema = schemas.of(route.body, sent=False) if is_json else {"type": "string"}
        media = "application/json" if is_json else str(route.body)
        found["requestBody"] = {"required": True, "content": {media: {"schema": schema, "example": route.example}}}
    found["responses"] = {
        str(status): each for status, each in sorted(answers.responses(route, schemas, shared).items())
    }
    return found


def _operation_id(name: str) -> str:
    return "".join(each.capitalize() for each in re.split(r"\W+", name)) or name


def _scope(route: Route) -> str:
    return f"A service token needs the scope `{route.scope}`." if route.scope else ""


def _parameters(path: str, query: Query | None, schemas: Schemas) -> list[Json]:
    found: list[Json] = []
    fields = () if query is None else msgspec.structs.fields(query.kind)
    for each in fields:
        assert query is not None  # noqa: S101 - or it would have no fields
        name = each.encode_name
        is_in_path = f"{{{name}}}" in path
        kind = _without_none(schemas.of(each.type, sent=False))
        if not each.required and isinstance(each.default, int):
            kind = {**kind, "default": each.default}
        found.append(
            {
                "name": name,
                "in": "path" if is_in_path else "query",
                "required": is_in_path or each.required,
                "description": query.words[name],
                "schema": kind,
            }
        )
    if "{path}" in path:
        words = {"name": "path", "in": "path", "required": True, "description": "Where the file is."}
        found.append({**words, "schema": {"type": "string"}})
    return found


def _without_none(schema: Json) -> Json:
    kinds = [each for each in schema.get("anyOf", [schema]) if each != {"type": "null"}]
    return kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
