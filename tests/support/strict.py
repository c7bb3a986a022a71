"""Validation by JSON Schema of what Parley sends: a field that the schema does not know is an error, too.

Clients ignore what they do not know, so the schemas of the contract admit it. What we send today has to be in them.
"""

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator, ValidationError, validators

Json = dict[str, Any]


def validator(document: Json, schema: Json) -> Any:
    """A validator for `schema`, whose references are within `document`."""
    return _Strict({**schema, "components": document["components"]})


def _properties(checker: Any, properties: Json, instance: Any, schema: Json) -> Iterator[ValidationError]:
    yield from Draft202012Validator.VALIDATORS["properties"](checker, properties, instance, schema)
    is_whole = schema.get("type") == "object"  # and no part of an `allOf`
    if is_whole and isinstance(instance, dict) and (unknown := instance.keys() - properties.keys()):
        yield ValidationError(f"nobody has described {sorted(unknown)}")


_Strict: Any = validators.extend(Draft202012Validator, {"properties": _properties})
