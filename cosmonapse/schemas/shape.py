"""Gives a JSON Schema the root that callers and tools expect: an object. Pure.

Libraries write a bare `$ref` at the root of a type that refers to itself, or of every type. A tool
whose schema has no `"type": "object"` at its root spoils the whole list for clients of MCP.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

Schema = Mapping[str, Any]
_NOTHING = object()
_SHARED = ("$schema", "$defs", "definitions")
"""What stays at the root, as references name it from there; `definitions` is that of draft 7."""
_UNIONS = ("anyOf", "oneOf")
_OF_SPECIFICATION = ("http://json-schema.org/", "https://json-schema.org/")
_OF_VALUES = frozenset({"const", "enum", "default", "examples"})
"""Keywords whose values are no schemas."""
_TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})


def inlined(schema: Schema) -> dict[str, Any]:
    """Return a schema whose root is no reference into itself."""
    root, seen = dict(schema), set()
    while isinstance(ref := root.get("$ref"), str) and ref not in seen:
        seen.add(ref)
        target = part_at(root, ref)
        if target is None:
            break
        root = {**target, **{key: value for key, value in root.items() if key != "$ref"}}
        _drop_unused(root, ref)
    return root


def part_at(schema: Schema, ref: str) -> Schema | None:
    """Return the schema that a reference names in another one; None if none is there."""
    part = _value_at(schema, ref) if ref.startswith("#/") else None
    return part if isinstance(part, Mapping) else None


def references(schema: Any) -> Iterator[str]:
    """Yield what a schema refers to; none for one with ids of its own, which are another root."""
    waiting, found = [schema], []
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting.extend(each)
        elif isinstance(each, Mapping):
            if isinstance(each.get("$id"), str):
                return
            if isinstance(ref := each.get("$ref"), str):
                found.append(ref)
            waiting.extend(item for key, item in each.items() if key not in _OF_VALUES)
    yield from found


def is_there(schema: Schema, ref: str) -> bool:
    """Return whether a reference leads into the schema, or to one of JSON Schema itself."""
    if not ref.startswith("#/"):
        return ref == "#" or ref.startswith(_OF_SPECIFICATION) or ref[1:] in _anchors(schema)
    return has_value_at(schema, ref)


def has_value_at(schema: Schema, ref: str) -> bool:
    """Return whether a schema holds a value where a JSON Pointer such as `#/$defs/a` leads."""
    return _value_at(schema, ref) is not _NOTHING


def _value_at(schema: Schema, ref: str) -> Any:
    """Return the value at a JSON Pointer in a URL fragment (RFC 6901), or `_NOTHING`."""
    value: Any = schema
    for name in map(_unescaped, unquote(ref.removeprefix("#/")).split("/")):
        if isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        elif isinstance(value, Mapping) and name in value:
            value = value[name]
        else:
            return _NOTHING
    return value


def _anchors(schema: Any) -> set[str]:
    """Return the names that parts of a schema have."""
    waiting = [schema]
    found: set[str] = set()
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting.extend(each)
        elif isinstance(each, Mapping):
            names = (each.get(key) for key in ("$anchor", "$dynamicAnchor", "id"))
            found.update(name.removeprefix("#") for name in names if isinstance(name, str))
            waiting.extend(item for key, item in each.items() if key not in _OF_VALUES)
    return found


def _unescaped(name: str) -> str:
    return name.replace("~1", "/").replace("~0", "~")


def _drop_unused(root: dict[str, Any], ref: str) -> None:
    """Remove a definition to which nothing refers any more."""
    group, _, name = ref.removeprefix("#/").partition("/")
    definitions = root.get(group)
    if group != "$defs" or not isinstance(definitions, Mapping):
        return
    if json.dumps(ref) in json.dumps(root, default=str):
        return
    left = {key: value for key, value in definitions.items() if key != _unescaped(name)}
    del root[group]
    if left:
        root[group] = left


def input_schema(schema: Schema) -> dict[str, Any]:
    """Return the schema of an input, which is an object.

    Raises:
        TypeError: It describes something else.
    """
    root = _known(inlined(schema))
    if not _may_be_object(root):
        raise TypeError(
            f"an input is a dict, and this describes {_kinds(root)}: put it into a field of a class"
        )
    return {**root, "type": "object"} if "type" in root else {"type": "object", **root}


def output_schema(schema: Schema) -> dict[str, Any]:
    """Return the schema of the dict that callers receive: all but a dict comes as `value`.

    Raises:
        TypeError: Its type is none of JSON Schema.
    """
    root = _known(inlined(schema))
    if not _may_be_object(root):
        return _wrapped(root)
    if root.get("type") == "object":
        return root
    for union in _UNIONS:
        if isinstance(branches := root.get(union), list):
            chosen = [_branch(root, branch) for branch in branches]
            return {"type": "object", **root, union: chosen}
    if isinstance(kinds := root.get("type"), list):
        others = {"type": [kind for kind in kinds if kind != "object"]}
        return {"type": "object", "anyOf": [{**root, "type": "object"}, _wrapped(others)]}
    return {"type": "object", **root}


def _known(root: dict[str, Any]) -> dict[str, Any]:
    if isinstance(kind := root.get("type"), str) and kind not in _TYPES:
        known = ", ".join(sorted(_TYPES))
        raise TypeError(f"{kind!r:.60} is no type of JSON Schema: there are {known}")
    return root


def _branch(root: Schema, branch: Schema) -> Schema:
    """Return one of several outputs as callers receive it."""
    target = branch
    if isinstance(ref := branch.get("$ref"), str):
        target = part_at(root, ref) or branch
    return branch if _may_be_object(target) else _wrapped(branch)


def _wrapped(root: Schema) -> dict[str, Any]:
    shared = {key: root[key] for key in _SHARED if key in root}
    value = {key: item for key, item in root.items() if key not in shared}
    return {"type": "object", "properties": {"value": value}, "required": ["value"], **shared}


def _may_be_object(root: Schema) -> bool:
    kind = root.get("type")
    if kind is None:
        return not root.keys() & {"enum", "const"}
    return kind == "object" or (isinstance(kind, list) and "object" in kind)


def _kinds(root: Schema) -> str:
    kind = root.get("type", "a fixed value")
    return " or ".join(map(str, kind)) if isinstance(kind, list) else str(kind)
