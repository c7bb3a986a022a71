"""JSON Schemas of Structs, as they are on the wire.

msgspec's own generator stops at a default of type `Raw`, and does not know which fields are always there in what is
sent, or what is said below a field.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import inspect as types

Json = dict[str, Any]

_REF: Final = "#/components/schemas/"
_BOUNDS: Final = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
_LENGTHS: Final = {"min_length": "minLength", "max_length": "maxLength"}
_SIZES: Final = {"min_length": "minItems", "max_length": "maxItems"}


class Schemas:
    """Collects a component for each Struct that it is asked for, and for those within."""

    def __init__(self, prefix: str = "") -> None:
        self.components: dict[str, Json] = {}
        self._prefix = prefix
        self._of: dict[str, tuple[type, bool]] = {}

    def of(self, kind: Any, *, sent: bool) -> Json:
        """The schema of `kind`. In what is `sent` a field with a default is there, too, unless defaults are left out.

        Raises `ValueError` when two Structs of one name are asked for, or one both as it is sent and as it is taken.
        """
        return self._schema(types.type_info(kind), sent)

    def name(self, kind: type) -> str:
        """What the component of a Struct is called."""
        return f"{self._prefix}{kind.__name__}"

    def _schema(self, info: types.Type, sent: bool) -> Json:  # noqa: FBT001
        match info:
            case types.Metadata():
                return self._schema(info.type, sent)
            case types.StructType():
                return self._reference(info, sent)
            case types.UnionType():
                return {"anyOf": [self._schema(each, sent) for each in info.types]}
            case types.ListType() | types.VarTupleType():
                items = self._schema(info.item_type, sent)
                return {"type": "array", "items": items, **_constraints(info, _SIZES)}
            case types.DictType():
                values = self._schema(info.value_type, sent)
                return {"type": "object", "additionalProperties": values or True}
        return _plain(info)

    def _reference(self, info: types.StructType, sent: bool) -> Json:  # noqa: FBT001
        name = self.name(info.cls)
        known = self._of.setdefault(name, (info.cls, sent))
        if known != (info.cls, sent):
            raise ValueError(f"{name} is two things: {known} and {(info.cls, sent)}")
        if name not in self.components:
            self.components[name] = {}  # it may hold itself
            self.components[name].update(self._struct(info, sent))
        return {"$ref": _REF + name}

    def _struct(self, info: types.StructType, sent: bool) -> Json:  # noqa: FBT001
        config = info.cls.__struct_config__
        properties: dict[str, Json] = {}
        required: list[str] = []
        if info.tag is not None:
            properties[str(info.tag_field)] = {"const": info.tag}
            required.append(str(info.tag_field))
        said = dict(_said_below(info.cls))
        for each in info.fields:
            leaves_out = sent and config.omit_defaults and not each.required
            schema = self._field(each, sent=sent, leaves_out=leaves_out)
            properties[each.encode_name] = _with(schema, said.get(each.name))
            if each.required or (sent and not leaves_out and not _may_be_unset(info.cls, each.name)):
                required.append(each.encode_name)
        closed = {"additionalProperties": False} if info.forbid_unknown_fields else {}
        listed = {"required": required} if required else {}
        return {"description": said_of(info.cls), "type": "object", "properties": properties, **listed, **closed}

    def _field(self, field: types.Field, *, sent: bool, leaves_out: bool) -> Json:
        if field.name == "ok":
            return {"const": field.default}  # what tells a good acknowledgement from a refusal
        schema = self._schema(field.type, sent)
        if leaves_out and field.default is None:
            kinds = [each for each in schema["anyOf"] if each != {"type": "null"}]
            schema = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
        if not sent and isinstance(field.default, int | str):
            schema = {**schema, "default": field.default}
        return schema


def _with(schema: Json, says: str | None) -> Json:
    if says is None:
        return schema
    # Beside a reference nothing else counts in JSON Schema's draft 7, which AsyncAPI follows.
    return {"description": says, **({"allOf": [schema]} if "$ref" in schema else schema)}


def _plain(info: types.Type) -> Json:
    match info:
        case types.EnumType():
            return {"type": "string", "enum": [each.value for each in info.cls]}
        case types.LiteralType():
            return {"type": "string", "enum": list(info.values)}
        case types.StrType():
            # `\Z` is Python's word for the end: others only know `$`, which for them is nothing else.
            pattern = {"pattern": info.pattern.replace(r"\Z", "$")} if info.pattern else {}
            return {"type": "string", **pattern, **_constraints(info, _LENGTHS)}
        case types.IntType() | types.FloatType():
            kind = "integer" if isinstance(info, types.IntType) else "number"
            return {"type": kind, **_constraints(info, _BOUNDS)}
        case types.BoolType() | types.NoneType():
            return {"type": "boolean" if isinstance(info, types.BoolType) else "null"}
        case types.RawType() | types.AnyType():
            return {}
    raise TypeError(f"{info} has no schema")


def said_of(kind: type) -> str:
    """The docstring of a Struct, in one line a paragraph."""
    paragraphs = inspect.cleandoc(kind.__doc__ or "").split("\n\n")
    return "\n\n".join(" ".join(each.split()) for each in paragraphs)


def _constraints(info: Any, words: dict[str, str]) -> Json:
    return {word: value for name, word in words.items() if (value := getattr(info, name)) is not None}


def _may_be_unset(kind: type, name: str) -> bool:
    return any(each.name == name and each.default is msgspec.UNSET for each in msgspec.structs.fields(kind))


def _said_below(kind: type) -> Iterator[tuple[str, str]]:
    """The strings below the fields of a Struct, and of those that it inherits from."""
    for each in reversed(kind.__mro__):
        if each.__module__.partition(".")[0] not in {"wire", "services"}:
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(each))).body[0]
        assert isinstance(body, ast.ClassDef)  # noqa: S101 - it is the source of one
        for field, below in zip(body.body, body.body[1:], strict=False):
            match field, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    yield name, " ".join(text.split())
