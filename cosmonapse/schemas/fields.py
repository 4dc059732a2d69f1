"""A JSON Schema for people: its fields as rows, and a value that may fit it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import attrs

from .shape import part_at

_MAX_DEPTH = 4
_MAX_ENUM = 6
_MAX_FIELDS = 500
_EXAMPLES: Mapping[str, Any] = {
    "string": "...",
    "integer": 1,
    "number": 1.0,
    "boolean": True,
    "null": None,
}
_FORMATS: Mapping[str, str] = {
    "date": "2030-01-31",
    "date-time": "2030-01-31T12:00:00Z",
    "email": "a@example.com",
    "uri": "https://example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


@attrs.frozen
class Field:
    """One key of an object.

    Args:
        name: The key; that of an inner object after the outer one and a dot.
        kind: Its type for people, with what is permitted.
        is_required: Whether it must be there.
        description: What it is.
    """

    name: str
    kind: str
    is_required: bool
    description: str


def fields_of(schema: Mapping[str, Any]) -> list[Field]:
    """Return the keys of an object as a schema describes them, inner objects included.

    At most 500, and four objects deep: a schema may refer to itself.
    """
    return list(islice(_fields(schema, schema, "", 0), _MAX_FIELDS))


def _fields(
    root: Mapping[str, Any], schema: Mapping[str, Any], prefix: str, depth: int
) -> Iterator[Field]:
    properties = schema.get("properties")
    required = schema.get("required")
    wanted = required if isinstance(required, list) else []
    for name, own in properties.items() if isinstance(properties, Mapping) else ():
        inner = _target(root, own)
        text = " ".join(str(inner.get("description", "")).split())
        yield Field(f"{prefix}{name}", kind_of(root, own), name in wanted, text)
        if depth < _MAX_DEPTH and inner.get("type") == "object":
            yield from _fields(root, inner, f"{prefix}{name}.", depth + 1)


def _target(root: Mapping[str, Any], schema: Any) -> Mapping[str, Any]:
    """Return a schema with what it refers to; its own keys count before that."""
    if not isinstance(schema, Mapping):
        return {}
    ref = schema.get("$ref")
    target = part_at(root, ref) if isinstance(ref, str) else None
    return schema if target is None else {**target, **schema}


def kind_of(root: Mapping[str, Any], schema: Any, depth: int = 0) -> str:
    """Return the type that a schema describes, with its bounds, as one short text."""
    if depth > _MAX_DEPTH:
        return "..."
    inner = _target(root, schema)
    for union in ("anyOf", "oneOf"):
        if isinstance(branches := inner.get(union), list):
            kinds = [kind_of(root, each, depth + 1) for each in branches[:_MAX_ENUM]]
            return " or ".join(dict.fromkeys([*kinds, "..."][: len(branches)]))
    if "const" in inner:
        return repr(inner["const"])
    if isinstance(values := inner.get("enum"), list):
        shown = [repr(each) for each in values[:_MAX_ENUM]]
        return " or ".join([*shown, "..."] if len(values) > _MAX_ENUM else shown)
    kind = inner.get("type", "anything")
    if kind == "array":
        return f"list of {kind_of(root, inner.get('items', {}), depth + 1)}"
    name = " or ".join(map(str, kind)) if isinstance(kind, list) else str(kind)
    return f"{name}{_bounds(inner)}"


def _bounds(schema: Mapping[str, Any]) -> str:
    told = [str(schema["format"])] if "format" in schema else []
    for low, high, unit in (("minimum", "maximum", ""), ("minLength", "maxLength", " characters")):
        if low in schema and high in schema:
            told.append(f"{schema[low]} to {schema[high]}{unit}")
        elif low in schema:
            told.append(f"at least {schema[low]}{unit}")
        elif high in schema:
            told.append(f"at most {schema[high]}{unit}")
    if "default" in schema and schema["default"] is not None:
        told.append(f"default {schema['default']!r:.40}")
    return f" ({', '.join(told)})" if told else ""


def example_of(schema: Mapping[str, Any]) -> Any:
    """Return a value with what a schema requires; bounds are heeded, patterns are not."""
    return _example(schema, schema, 0)


def _example(root: Mapping[str, Any], schema: Any, depth: int) -> Any:
    inner = _target(root, schema)
    if named := _named_values(inner):
        return named[0]
    branches = inner.get("anyOf") or inner.get("oneOf")
    kind = inner.get("type")
    if isinstance(branches, list) and branches and "properties" not in inner:
        return None if depth > _MAX_DEPTH else _example(root, branches[0], depth + 1)
    if isinstance(kind, list):
        kind = kind[0] if kind else None
    if kind == "object" or "properties" in inner:
        return _object(root, inner, depth)
    if kind == "array":
        fills = inner.get("minItems", 0) and depth <= _MAX_DEPTH
        return [_example(root, inner.get("items", {}), depth + 1)] if fills else []
    return _scalar(inner, str(kind))


def _named_values(schema: Mapping[str, Any]) -> list[Any]:
    """Return the values that a schema itself names."""
    found = [schema[key] for key in ("default", "const") if key in schema]
    for key in ("examples", "enum"):
        if isinstance(values := schema.get(key), list):
            found.extend(values)
    return found


def _object(root: Mapping[str, Any], schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
    required = schema.get("required")
    properties = schema.get("properties")
    if depth > _MAX_DEPTH or not (isinstance(required, list) and isinstance(properties, Mapping)):
        return {}
    return {
        name: _example(root, properties[name], depth + 1) for name in required if name in properties
    }


def _scalar(schema: Mapping[str, Any], kind: str) -> Any:
    if kind == "string":
        text = _FORMATS.get(str(schema.get("format")), "...")
        least = schema.get("minLength", 0)
        return text if not isinstance(least, int) else text.ljust(min(least, 100), ".")
    if kind in ("integer", "number"):
        step = 1 if kind == "integer" else 0.5
        for key, beside in (("minimum", 0), ("exclusiveMinimum", step), ("maximum", 0)):
            if isinstance(bound := schema.get(key), int | float):
                return bound + beside
    return _EXAMPLES.get(kind)
