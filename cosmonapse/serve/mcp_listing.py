"""Cards as MCP tools, in the form that the clients of both protocol eras accept. Pure.

One tool with a bad schema makes clients refuse the whole list: the Python and the TypeScript SDK
want `"type": "object"` at each root, and the latter compiles every output schema when it lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import attrs
import jsonschema

from ..cards import Card
from ..schemas.shape import has_value_at

MAX_DEPTH = 64
"""The deepest schema of a tool, in levels of JSON: those who check it call themselves for each."""
_ANYTHING: Mapping[str, Any] = {"type": "object", "additionalProperties": True}
_MAPS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_ONES = (
    *("additionalProperties", "items", "contains", "propertyNames", "not", "if", "then", "else"),
    *("unevaluatedItems", "unevaluatedProperties"),
)
# What a RegExp of JavaScript with the flag u accepts of the patterns of Python.
_PLAIN_ESCAPES = re.compile(r"\\(?:[dDsSwWbBnrtfv^$\\.*+?()\[\]{}|/]|u[0-9A-Fa-f]{4})")
_PYTHON_ONLY = re.compile(r"\\|\(\?(?![:=!]|<[=!]|<[A-Za-z_])|\+\+|\*\+|\?\+")


class UnfitCard(ValueError):
    """A card that no MCP client accepts as a tool; the text says why."""


@attrs.frozen
class ListedTool:
    """A tool of the list.

    Args:
        name: The id of the Neuron.
        description: What it is for.
        input_schema: The JSON Schema of its arguments, `object` at the root.
        output_schema: That of its result, or None.
        flaw: Why the output schema of the card is left out; None if it is not.
    """

    name: str
    description: str
    input_schema: dict[str, Any]
    output_schema: dict[str, Any] | None
    flaw: str | None = None


def is_exposed(neuron_id: str, patterns: tuple[str, ...]) -> bool:
    """Return whether a Neuron is one of those that are shown; without patterns all are."""
    return not patterns or any(fnmatchcase(neuron_id, each) for each in patterns)


def listed_tool(card: Card) -> ListedTool:
    """Return the tool of a card.

    Raises:
        UnfitCard: Its input schema would make clients refuse the whole list.
    """
    given = dict(_ANYTHING) if card.input is None else _rooted(card.input)
    output, flaw = None, None
    if card.output is not None:
        try:
            output = _rooted(card.output)
            _check_compiles(output)
        except UnfitCard as unfit:
            output, flaw = None, str(unfit)
    return ListedTool(card.neuron_id, card.description, given, output, flaw)


def _rooted(schema: Mapping[str, Any]) -> dict[str, Any]:
    if not _is_within(schema, MAX_DEPTH):
        raise UnfitCard(f"the schema is over {MAX_DEPTH} levels deep")
    root = schema.get("type", "object")
    if root != "object":
        raise UnfitCard(f"the root of the schema is of type {root!r}, and a tool needs 'object'")
    rooted = {"type": "object", **schema}
    properties = rooted.get("properties")
    if isinstance(properties, Mapping):
        # The TypeScript SDK accepts objects only; JSON Schema has true and false too.
        rooted["properties"] = {key: _object(each) for key, each in properties.items()}
    if not isinstance(rooted.get("$schema", ""), str):
        raise UnfitCard("$schema is no text")
    try:
        jsonschema.validators.validator_for(
            rooted, default=jsonschema.Draft202012Validator
        ).check_schema(rooted)
    except jsonschema.SchemaError as error:
        where = "/".join(map(str, error.absolute_path)) or "its root"
        raise UnfitCard(f"it is no valid JSON Schema at {where}: {error.message:.200}") from None
    return rooted


def _is_within(value: Any, depth: int) -> bool:
    if not isinstance(value, Mapping | list):
        return True
    inside = value.values() if isinstance(value, Mapping) else value
    return depth > 0 and all(_is_within(each, depth - 1) for each in inside)


def _object(schema: Any) -> Any:
    if schema is True:
        return {}
    return {"not": {}} if schema is False else schema


def _check_compiles(root: Mapping[str, Any]) -> None:
    """Check what a client that compiles the schema needs beyond its validity.

    Raises:
        UnfitCard: A reference leads nowhere, or a pattern is not one of JavaScript.
    """
    for schema in _parts(root):
        reference = schema.get("$ref")
        if isinstance(reference, str) and not _leads_somewhere(root, reference):
            raise UnfitCard(f"the reference {reference!r:.100} leads nowhere within the schema")
        patterns = [schema.get("pattern"), *_map_in(schema, "patternProperties")]
        for pattern in patterns:
            if isinstance(pattern, str) and not _is_plain(pattern):
                raise UnfitCard(f"the pattern {pattern!r:.100} is not one of JavaScript")


def _parts(schema: Any) -> Iterator[Mapping[str, Any]]:
    """Return each schema within a schema, itself first."""
    if not isinstance(schema, Mapping):
        return
    yield schema
    for key in _MAPS:
        for each in _map_in(schema, key).values():
            yield from _parts(each)
    for key in _LISTS:
        listed = schema.get(key)
        for each in listed if isinstance(listed, list) else ():
            yield from _parts(each)
    for key in _ONES:
        yield from _parts(schema.get(key))


def _map_in(schema: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a map of schemas; an older version of JSON Schema lets anything be under a new key."""
    value = schema.get(key)
    return value if isinstance(value, Mapping) else {}


def _leads_somewhere(root: Mapping[str, Any], reference: str) -> bool:
    """Return whether a reference names the root or a part of it: no client fetches another one."""
    return reference == "#" or (reference.startswith("#/") and has_value_at(root, reference))


def _is_plain(pattern: str) -> bool:
    return _PYTHON_ONLY.search(_PLAIN_ESCAPES.sub("", pattern)) is None
