"""JSON Schemas, as people read them."""

import json
from typing import Final

from apidocs.pages.html import Html, anchor, between, join, paragraphs, prose, tag
from apidocs.schemas import Json

_REF: Final = "#/components/schemas/"
_COUNTABLE: Final = 2**53
"""Higher bounds are of no interest to people."""


def component(schema: Json, components: Json) -> tuple[str, Json]:
    """The name of the component that `schema` is, and what it is; "" and itself if it is none."""
    name = str(schema.get("$ref", "")).removeprefix(_REF)
    return (name, components[name]) if name else ("", schema)


def type_of(schema: Json) -> Html:
    """What a value may be, in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_REF)
        return tag("a", name, href=f"#schema-{anchor(name)}")
    for word, separator in (("allOf", " and "), ("anyOf", " or ")):
        if word in schema:
            return between(separator, (type_of(each) for each in schema[word] if "$ref" in each or "type" in each))
    if "const" in schema:
        return tag("code", json.dumps(schema["const"]))
    if "enum" in schema:
        return between(" | ", (tag("code", json.dumps(each)) for each in schema["enum"]))
    if schema.get("type") == "array":
        return join("array of ", type_of(schema["items"]))
    return join(str(schema.get("type", "any JSON")), _bounds(schema))


def _bounds(schema: Json) -> Html:
    if "pattern" in schema:
        return join(" ", tag("code", schema["pattern"].removeprefix("^").removesuffix("$")))
    least, most = schema.get("minimum"), schema.get("maximum", _COUNTABLE)
    if least is None:
        return Html("")
    return join(f", {least} or more" if most >= _COUNTABLE else f", {least} to {most}")


def fields(schema: Json, components: Json) -> Html:
    """A table of the fields of an object; of anything else, what it is."""
    if "anyOf" in schema:
        return join(*(fields(each, components) for each in schema["anyOf"]))
    name, schema = component(schema, components)
    if schema.get("type") != "object":
        return tag("p", type_of(schema))
    if not schema.get("properties"):
        return tag("p", "An object without fields.", class_="quiet")
    required = schema.get("required", [])
    properties: dict[str, Json] = schema["properties"]
    has_words = any("description" in each or "default" in each for each in properties.values())
    heads = tag("tr", *(tag("th", each) for each in ("Field", "Type", "Meaning")[: 3 if has_words else 2]))
    rows = (
        tag(
            "tr", _name(field, is_required=field in required), tag("td", type_of(each)), *((_says(each),) * has_words)
        )
        for field, each in properties.items()
    )
    caption = (tag("caption", type_of({"$ref": _REF + name})),) if name else ()
    return tag("div", tag("table", *caption, tag("thead", heads), tag("tbody", *rows)), class_="table")


def _name(field: str, *, is_required: bool) -> Html:
    return tag("td", tag("code", field), *(() if is_required else (" ", tag("span", "optional", class_="quiet"))))


def _says(schema: Json) -> Html:
    default = (join(" Default: ", tag("code", str(schema["default"]))),) if "default" in schema else ()
    return tag("td", prose(schema.get("description", "")), *default)


def all_of(components: Json) -> Html:
    """A section for each component."""
    sections = (
        tag(
            "section",
            tag("h3", name),
            paragraphs(schema.get("description", "")),
            fields(schema, components) if schema.get("type") == "object" else tag("p", type_of(schema)),
            id=f"schema-{anchor(name)}",
        )
        for name, schema in components.items()
    )
    return tag("section", tag("h2", "Types"), *sections, id="types", class_="types")
