"""openapi.yaml as a page."""

from collections.abc import Iterator
from typing import Any, Final

from apidocs.pages import schema_view
from apidocs.pages.html import Html, anchor, document, example, join, navigation, paragraphs, prose, tag
from apidocs.schemas import Json

_TOKENS: Final = {"user": "a user's access token", "service": "a service token"}


def page(found: Json) -> bytes:
    """All of it."""
    operations = list(_operations(found))
    groups: dict[str, list[tuple[str, Html]]] = {
        each["name"]: [
            (_id(method, path), join(_method(method), " ", path))
            for method, path, operation in operations
            if operation["tags"] == [each["name"]]
        ]
        for each in found["tags"]
    }
    groups["Types"] = [("types", Html("All types"))]
    sections = (_section(each, operations, found) for each in found["tags"])
    head = tag("header", tag("h1", found["info"]["title"]), paragraphs(found["info"]["description"]))
    menu = navigation("openapi", groups)
    return document("HTTP - Parley", menu, head, *sections, schema_view.all_of(found["components"]["schemas"]))


def _operations(found: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            if method != "servers":
                yield method.upper(), path, operation


def _id(method: str, path: str) -> str:
    return anchor(f"{method} {path}")


def _method(method: str) -> Html:
    return tag("b", method, class_=f"method {method.lower()}")


def _section(group: Json, operations: list[tuple[str, str, Json]], found: Json) -> Html:
    of_group = (each for each in operations if each[2]["tags"] == [group["name"]])
    shown = (_operation(*each, found) for each in of_group)
    return tag(
        "section", tag("h2", group["name"]), paragraphs(group["description"]), *shown, id=anchor(group["name"])
    )


def _operation(method: str, path: str, operation: Json, found: Json) -> Html:
    components = found["components"]["schemas"]
    parts = [tag("h3", operation["summary"]), tag("p", _method(method), " ", tag("code", path), class_="address")]
    parts.append(paragraphs(operation.get("description", "")))
    if "security" in operation:
        borne = " or ".join(_TOKENS[name] for each in operation["security"] for name in each)
        parts.append(tag("p", prose(f"Send {borne} along: `Authorization: Bearer ...`"), class_="quiet"))
    if "parameters" in operation:
        parts += [tag("h4", "Parameters"), schema_view.fields(_as_object(operation["parameters"]), {})]
    if "requestBody" in operation:
        ((_, content),) = operation["requestBody"]["content"].items()
        parts += [tag("h4", "Body"), schema_view.fields(content["schema"], components), example(content["example"])]
    answers = (_answer(status, each, found) for status, each in operation["responses"].items())
    parts += [tag("h4", "Answers"), *answers]
    return tag("article", *parts, id=_id(method, path))


def _as_object(parameters: list[Json]) -> Json:
    said = {each["name"]: {**each["schema"], "description": each["description"]} for each in parameters}
    return {
        "type": "object",
        "properties": said,
        "required": [each["name"] for each in parameters if each["required"]],
    }


def _answer(status: str, answer: Json, found: Json) -> Html:
    if "$ref" in answer:
        answer = found["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    kinds = answer.get("content", {})
    codes = [code for each in kinds.values() for code in _codes(each["schema"])]
    shown = tag("b", status, class_=f"status s{status[0]}")
    said = [prose(answer["description"]), *(part for code in codes for part in (" ", tag("code", code)))]
    bodies = [
        schema_view.fields(each["schema"], found["components"]["schemas"])
        for media, each in kinds.items()
        if media == "application/json" and status.startswith("2")
    ]
    if not bodies:
        return tag("p", shown, " ", *said, class_="answer")
    return tag("details", tag("summary", shown, " ", *said), *bodies, class_="answer", open="")


def _codes(schema: Any) -> list[str]:
    properties = (each.get("properties", {}) for each in schema.get("allOf", []))
    return [code for each in properties for code in each.get("code", {}).get("enum", [])]
