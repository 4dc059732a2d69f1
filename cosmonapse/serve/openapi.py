"""An OpenAPI document from cards: one path for each Neuron that has one. Pure.

Spec: https://spec.openapis.org/oas/v3.1.1.html. A `$ref` of a card begins at the root of its own
schema. In the document that root is a component, so each such `$ref` gets its place in front.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ..cards import Card
from ..tasks import MAX_TIMEOUT_S

VERSION = "3.1.0"
_COMPONENTS = "#/components/schemas"
_DATA_KEYS = frozenset({"const", "enum", "default", "examples", "example"})
_ANSWERS: Mapping[str, Any] = MappingProxyType(
    {
        "409": {
            "description": "A question. Send the same input again, with `clarification` or "
            "`permission` beside it.",
            "content": {"application/json": {"schema": {"$ref": f"{_COMPONENTS}/Question"}}},
        },
        "default": {
            "description": "An error.",
            "content": {"application/json": {"schema": {"$ref": f"{_COMPONENTS}/Error"}}},
        },
    }
)
_ERROR: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "required": ["error", "code", "retry"],
        "properties": {
            "error": {"type": "string"},
            "code": {"type": "string"},
            "retry": {"type": "boolean", "description": "Whether another try may help."},
            "trace_id": {"type": ["string", "null"]},
        },
    }
)
_QUESTION: Mapping[str, Any] = MappingProxyType(
    {
        "allOf": [{"$ref": f"{_COMPONENTS}/Error"}],
        "properties": {
            "question": {"type": "string"},
            "action": {"type": "string"},
            "scope": {},
            "reason": {"type": "string"},
            "context": {},
        },
    }
)
_TIMEOUT: Mapping[str, Any] = MappingProxyType(
    {
        "name": "timeout_s",
        "in": "query",
        "description": "The longest time that it may take, in seconds.",
        "schema": {"type": "number", "exclusiveMinimum": 0, "maximum": MAX_TIMEOUT_S},
    }
)
_CONTEXT_REF: Mapping[str, Any] = MappingProxyType(
    {
        "name": "context_ref",
        "in": "query",
        "description": "What the context_fetcher of the Neuron receives: the name of a session, "
        "or JSON that begins with { or [.",
        "schema": {"type": "string", "minLength": 1},
    }
)


def document(
    cards: Mapping[str, Card], title: str, version: str, base_url: str, *, has_token: bool
) -> dict[str, Any]:
    """Return the document.

    Args:
        cards: The cards, by id.
        title: What is served.
        version: The version of this package.
        base_url: Where clients reach the gateway.
        has_token: Whether it asks for a token.
    """
    schemas: dict[str, Any] = {"Error": dict(_ERROR), "Question": dict(_QUESTION)}
    paths: dict[str, Any] = {}
    for neuron_id, card in sorted(cards.items()):
        for side, schema in (("input", card.input), ("output", card.output)):
            if schema is not None:
                name = f"{neuron_id}.{side}"
                schemas[name] = placed(schema, f"{_COMPONENTS}/{name}")
        paths[f"/neurons/{neuron_id}"] = {"post": _operation(card)}
    made: dict[str, Any] = {
        "openapi": VERSION,
        "info": {"title": title, "version": version},
        "servers": [{"url": base_url}],
        "paths": paths,
        "components": {"schemas": schemas},
    }
    if has_token:
        made["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
        made["security"] = [{"bearer": []}]
    return made


def _operation(card: Card) -> dict[str, Any]:
    summary = next(iter(card.description.splitlines()), "")
    events = {"schema": {"type": "string"}}
    output = {"schema": _schema_of(card, "output", card.output)}
    return {
        "operationId": card.neuron_id,
        "summary": summary,
        "description": card.description,
        "tags": list(card.capabilities),
        "parameters": [dict(_TIMEOUT), dict(_CONTEXT_REF)],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _schema_of(card, "input", card.input)}},
        },
        "responses": {
            "200": {
                "description": "The output; as events, where the client accepts these.",
                "content": {"application/json": output, "text/event-stream": events},
            },
            **_ANSWERS,
        },
    }


def _schema_of(card: Card, side: str, schema: Mapping[str, Any] | None) -> dict[str, Any]:
    if schema is None:
        return {"type": "object"}
    return {"$ref": f"{_COMPONENTS}/{card.neuron_id}.{side}"}


def placed(schema: Any, place: str) -> Any:
    """Return a schema whose references to its own root begin at a place of the document.

    Args:
        schema: A schema, or a part of one.
        place: The reference of its root, such as `#/components/schemas/book.input`.
    """
    if isinstance(schema, Mapping):
        return {key: _placed_value(key, value, place) for key, value in schema.items()}
    if isinstance(schema, list | tuple):
        return [placed(each, place) for each in schema]
    return schema


def _placed_value(key: str, value: Any, place: str) -> Any:
    if key == "$ref" and isinstance(value, str) and (value == "#" or value.startswith("#/")):
        return place + value[1:]
    return value if key in _DATA_KEYS else placed(value, place)
