"""The content of tasks as spans have it, if it is asked for: prompts, outputs, arguments. Pure.

Source: the messages of https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-events/.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

MAX_CONTENT_CHARACTERS = 16_384
_ASKED_FOR = frozenset({"true", "1", "span_only", "span_and_event"})


def is_asked_for(value: str | None) -> bool:
    """Return whether the variable of the conventions asks for content in spans."""
    return value is not None and value.strip().lower() in _ASKED_FOR


def as_text(value: Any) -> str:
    """Return a value as a text of at most 16,384 characters: a str as it is, others as JSON."""
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    # A lone surrogate would fail where the spans are exported, and all of them with it.
    return text[:MAX_CONTENT_CHARACTERS].encode("utf-8", "replace").decode()


def message(role: str, value: Any, finish_reason: str | None = None) -> str:
    """Return the list of one message as JSON.

    Args:
        role: `user`, `assistant`, `system` or `tool`.
        value: Its content.
        finish_reason: Why it ended, for a message of a model.
    """
    return json.dumps([_message(role, value, finish_reason)], ensure_ascii=False)


def messages(given: Any) -> str:
    """Return the input of a model call as JSON: its messages, or one message of the user."""
    listed = given.get("messages") if isinstance(given, Mapping) else None
    if not isinstance(listed, list):
        return message("user", given)
    told = [
        _message(str(each.get("role", "user")), each.get("content"))
        for each in listed
        if isinstance(each, Mapping)
    ]
    return json.dumps(told, ensure_ascii=False)[:MAX_CONTENT_CHARACTERS]


def _message(role: str, value: Any, finish_reason: str | None = None) -> dict[str, Any]:
    told: dict[str, Any] = {"role": role, "parts": [{"type": "text", "content": as_text(value)}]}
    return told if finish_reason is None else {**told, "finish_reason": finish_reason}
