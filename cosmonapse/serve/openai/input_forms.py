"""What becomes of a chat as the input of a Neuron, by the schema on its card. Pure.

A Neuron without a schema, or with one that takes `messages`, gets the whole chat. One that takes a
text gets the last text of the user, and one that takes other values gets the object that this text
holds as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from .error_bodies import ChatRefusal

TEXT_KEYS = ("prompt", "text", "query", "question", "message", "input", "content")
"""What a Neuron calls the text that it takes, the most usual name first."""
_UNSEEN = ("$ref", "allOf", "anyOf", "oneOf")
_MOST_NAMED = 10

Input = dict[str, Any]


@attrs.frozen
class InputForm:
    """How a Neuron takes a chat.

    Args:
        text_key: Where the last text of the user goes; None for the chat itself.
        fields: The names of all fields of its schema; None if anything may come.
        required: Those that must come.
        takes_text: Whether a text goes there even if it is a JSON object.
        takes_chat: Whether it takes `messages`.
    """

    text_key: str | None = None
    fields: frozenset[str] | None = None
    required: tuple[str, ...] = ()
    takes_text: bool = False
    takes_chat: bool = True

    def input_of(self, messages: Sequence[Mapping[str, Any]], options: Input) -> Input:
        """Return the input for a chat.

        Args:
            messages: The chat.
            options: What else was asked for, such as `temperature`; what the schema does not
                take is left out.

        Raises:
            ChatRefusal: The Neuron takes neither a chat nor a text, and the last text of the user
                is no JSON object.
        """
        taken = {
            key: each for key, each in options.items() if self.fields is None or key in self.fields
        }
        if self.takes_chat:
            return {"messages": messages, **taken}
        text = last_text(messages)
        if self.text_key is not None and self.takes_text:
            return {**taken, self.text_key: text}
        values = _object_in(text)
        if values is not None and (self.text_key is None or values.keys() >= set(self.required)):
            return values
        if self.text_key is not None:
            return {**taken, self.text_key: text}
        raise ChatRefusal(self._wants(), "messages", "BAD_INPUT")

    def _wants(self) -> str:
        names = sorted(self.fields or ())
        more = ", ..." if len(names) > _MOST_NAMED else ""
        return (
            f"this Neuron takes no chat but {', '.join(names[:_MOST_NAMED])}{more}: send them as "
            "one JSON object in the last message of the user"
        )


THE_CHAT = InputForm()


def form_of(schema: Mapping[str, Any] | None) -> InputForm:
    """Return how a Neuron with this schema takes a chat; None and an open schema take all of it."""
    if not schema or any(key in schema for key in _UNSEEN):
        return THE_CHAT
    properties = _mapping(schema.get("properties"))
    is_closed = schema.get("additionalProperties") is False
    fields = frozenset(properties) if is_closed else None
    if "messages" in properties:
        return InputForm(fields=fields)
    listed = _listed(schema.get("required"))
    required = tuple(key for key in listed if isinstance(key, str) and key in properties)
    known = [key for key in TEXT_KEYS if _is_text(properties.get(key))]
    best = next((key for key in known if key in required), None) or next(iter(known), None)
    if set(required) <= {best} and best is not None:
        return InputForm(best, frozenset(properties), required, True, False)
    if len(required) == 1 and _is_text(properties[required[0]]):
        return InputForm(required[0], frozenset(properties), required, False, False)
    if not required and not is_closed:
        return THE_CHAT
    return InputForm(None, frozenset(properties), required, False, False)


def form_of_all(schemas: Iterable[Mapping[str, Any] | None]) -> InputForm:
    """Return how several Neurons take a chat, one of which will: the chat itself if they differ."""
    forms = {form_of(schema) for schema in schemas}
    return forms.pop() if len(forms) == 1 else THE_CHAT


def last_text(messages: Sequence[Mapping[str, Any]]) -> str:
    """Return the text of the last message of the user.

    Raises:
        ChatRefusal: There is none.
    """
    for message in reversed(messages):
        if message.get("role") == "user" and (text := text_in(message.get("content"))):
            return text
    raise ChatRefusal(
        "this Neuron takes the last text of the user, and no message has one", "messages"
    )


def text_in(content: Any) -> str:
    """Return the text of a content, which is a str or parts of which some are text."""
    if isinstance(content, str):
        return content
    parts = [part for part in content if isinstance(part, Mapping)] if _is_list(content) else []
    return "\n".join(part["text"] for part in parts if isinstance(part.get("text"), str))


def _object_in(text: str) -> Input | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _is_text(schema: Any) -> bool:
    kind = _mapping(schema).get("type")
    return kind == "string" or (isinstance(kind, list) and "string" in kind)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
