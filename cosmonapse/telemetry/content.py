"""The content of tasks as spans have it, if it is asked for: prompts, outputs, arguments. Pure.

Source: the messages of https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-events/.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from .told_values import told_text

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
    return _listed([_message(role, value, finish_reason)])


def messages(given: Any) -> str:
    """Return the input of a model call as JSON: its messages, or one message of the user."""
    listed = given.get("messages") if isinstance(given, Mapping) else None
    if not isinstance(listed, list):
        return message("user", given)
    told = [
        _message(told_text(each.get("role", "user")), each.get("content"))
        for each in listed
        if isinstance(each, Mapping)
    ]
    return _listed(told)


def _listed(told: list[dict[str, Any]]) -> str:
    """Return messages as JSON of at most 16,384 characters; each has a part of the room.

    The last ones are left out where their roles alone would fill it.
    """
    whole = _json(told)
    if len(whole) <= MAX_CONTENT_CHARACTERS:
        return whole
    texts = [each["parts"][0]["content"] for each in told]
    room = MAX_CONTENT_CHARACTERS - len("[]")
    for count, (each, text) in enumerate(zip(told, texts, strict=True)):
        room -= len(_json(each)) - len(_json(text)) + len('"", ')
        if room < 0:
            return _listed(told[:count])
    # The shortest first: what they do not need is for the others.
    for done, number in enumerate(sorted(range(len(told)), key=lambda at: len(_json(texts[at])))):
        part = told[number]["parts"][0]
        part["content"] = _cut(part["content"], room // (len(told) - done))
        room -= len(_json(part["content"])) - len('""')
    return _json(told)


def _cut(text: str, most: int) -> str:
    """Return the beginning of a text that takes at most so many characters in JSON."""
    inside = _json(text)[1:-1]
    for end in range(min(most, len(inside)), 0, -1):
        with contextlib.suppress(ValueError):  # the cut goes through an escape
            return str(json.loads(f'"{inside[:end]}"'))
    return ""


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _message(role: str, value: Any, finish_reason: str | None = None) -> dict[str, Any]:
    told: dict[str, Any] = {"role": role, "parts": [{"type": "text", "content": as_text(value)}]}
    return told if finish_reason is None else {**told, "finish_reason": finish_reason}
