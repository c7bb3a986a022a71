"""asyncapi.yaml as a page."""

from typing import Final

from apidocs.pages import schema_view
from apidocs.pages.html import Html, anchor, document, example, join, navigation, paragraphs, tag
from apidocs.schemas import Json

_SHORT: Final = {"Client events": "client", "Server events": "server"}


def page(found: Json) -> bytes:
    """All of it."""
    groups: dict[str, list[tuple[str, Html]]] = {
        each["name"]: [
            (anchor(name), join(_called(name, operation, found)))
            for name, operation in found["operations"].items()
            if operation["tags"][0]["name"] == each["name"]
        ]
        for each in found["info"]["tags"]
    }
    groups["Types"] = [("types", Html("All types"))]
    head = tag("header", tag("h1", found["info"]["title"]), paragraphs(found["info"]["description"]))
    sections = (_section(each, found) for each in found["info"]["tags"])
    menu = navigation("asyncapi", groups)
    return document("Realtime - Parley", menu, head, *sections, schema_view.all_of(found["components"]["schemas"]))


def _called(name: str, operation: Json, found: Json) -> str:
    channel = found["channels"][_last(operation["channel"])]
    return name.rpartition(".")[2] if channel["address"] == "/" else str(channel["address"])


def _last(reference: Json) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def _section(group: Json, found: Json) -> Html:
    shown = (
        _operation(name, operation, found)
        for name, operation in found["operations"].items()
        if operation["tags"][0]["name"] == group["name"]
    )
    return tag(
        "section", tag("h2", group["name"]), paragraphs(group["description"]), *shown, id=anchor(group["name"])
    )


def _operation(name: str, operation: Json, found: Json) -> Html:
    parts = [
        tag("h3", operation["summary"]),
        tag("p", tag("code", _called(name, operation, found)), class_="address"),
    ]
    parts.append(paragraphs(operation.get("description", "")))
    parts += [_message(each, found) for each in operation["messages"]]
    if "reply" in operation:
        # How a refusal looks is said once, and not below each event.
        replies = [
            each for each in operation["reply"]["messages"] if not _last(each).endswith((".failed", ".refused"))
        ]
        said = (
            "Acknowledged with" if operation["tags"][0]["name"] in _SHORT else "Answered with, if it is not refused"
        )
        parts += [tag("h4", said), *(_message(each, found) for each in replies)]
    return tag("article", *parts, id=anchor(name))


def _message(reference: Json, found: Json) -> Html:
    message = found["components"]["messages"][_last(reference)]
    examples = (example(each["payload"]) for each in message.get("examples", []))
    payload = message["payload"]
    if not payload:
        return tag("p", message["title"], class_="quiet")
    return join(schema_view.fields(payload, found["components"]["schemas"]), *examples)
