"""A JSON Schema of an object without a union at its root: providers refuse a tool with one. Pure.

One tool with `anyOf`, `oneOf`, `allOf`, `not` or `enum` at the root of its parameters spoils the
whole request, and so the agent. The keys of all branches become keys of the root; which of them go
together is said by whoever checks the arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .shape import part_at

Schema = Mapping[str, Any]
_UNIONS = ("anyOf", "oneOf")
_DROPPED = frozenset(
    {*_UNIONS, "allOf", "not", "enum", "const", "if", "then", "else", "discriminator", "$ref"}
)


def flattened(root: Schema) -> dict[str, Any]:
    """Return a schema of the same object, or of more, without a union at its root.

    Args:
        root: A schema whose root is an object.
    """
    if _DROPPED.isdisjoint(root):
        return dict(root)
    keys = _Keys(root).of(root)
    flat = {key: value for key, value in root.items() if key not in _DROPPED}
    needed = {"required": keys.required} if keys.required else {}
    return {**flat, "properties": keys.properties, **needed}


class _Object(NamedTuple):
    """The properties of an object, and which of them every form of it has."""

    properties: dict[str, Any]
    required: list[str]


class _Keys:
    """Gathers the keys of objects, of each once: one may hold itself."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._known: dict[int, _Object] = {}

    def of(self, schema: Schema) -> _Object:
        """Return the keys of an object of this schema."""
        known = self._known.get(id(schema))
        if known is not None:
            return known
        needed = [name for name in _list(schema.get("required")) if isinstance(name, str)]
        found = _Object(dict(_mapping(schema.get("properties"))), needed)
        self._known[id(schema)] = found
        for each in (*self._objects(schema.get("allOf")), *self._target(schema)):
            self._add(found, [each])
        for union in _UNIONS:
            self._add(found, self._objects(schema.get(union)))
        return found

    def _add(self, found: _Object, forms: list[Schema]) -> None:
        """Add the keys of the forms that an object may have."""
        keys = [self.of(form) for form in forms]
        for each in keys:
            _merge(found.properties, each.properties)
        for name in keys[0].required if keys else ():
            if name not in found.required and all(name in each.required for each in keys):
                found.required.append(name)

    def _objects(self, branches: Any) -> list[Schema]:
        """Return the branches that an object may be."""
        found = [each for each in _list(branches) if isinstance(each, Mapping)]
        targets = [(each, *self._target(each))[-1] for each in found]
        kinds = zip(found, targets, strict=True)
        return [each for each, target in kinds if target.get("type", "object") == "object"]

    def _target(self, schema: Schema) -> list[Schema]:
        """Return what a schema refers to, none if it refers to nothing."""
        ref = schema.get("$ref")
        target = part_at(self._root, ref) if isinstance(ref, str) else None
        return [] if target is None else [target]


def _merge(properties: dict[str, Any], more: Schema) -> None:
    """Add properties; one that is there in another form may have either."""
    for name, schema in list(more.items()):
        known = properties.setdefault(name, schema)
        if known != schema:
            forms = _forms(known)
            properties[name] = {"anyOf": forms if schema in forms else [*forms, schema]}


def _forms(schema: Any) -> list[Any]:
    is_either = isinstance(schema, Mapping) and schema.keys() == {"anyOf"}
    return list(schema["anyOf"]) if is_either else [schema]


def _mapping(value: Any) -> Schema:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
