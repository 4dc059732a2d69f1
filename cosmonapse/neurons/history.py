"""The messages of a chat before the one that is asked: from the context items of a TASK. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .answers import Message
from .chat import TEXT_KEYS, messages_from

SYSTEM_ROLES = ("system", "developer")
_REPLACED = {*TEXT_KEYS, "messages", "clarification", "permission"}


def with_history(input: Any, items: Iterable[Any]) -> Any:
    """Return the input of a TASK with the messages of its context ahead of its own.

    Context items of the form {role, content} are messages; others are left out. What the input
    says again, since a client sends the whole chat or answers a question, is there once. System
    texts of the input stay first.

    Raises:
        NeuronError: BAD_INPUT, see `messages_from`.
    """
    history = messages_in(items)
    if not history:
        return input
    system, said = parted(messages_from(input))
    kept = history[: len(history) - repeated_count(history, said)]
    rest = {key: value for key, value in input.items() if key not in _REPLACED}
    return {**rest, "messages": [*system, *kept, *said]}


def messages_in(items: Iterable[Any]) -> list[Message]:
    """Return the context items that are messages."""
    return [dict(item) for item in items if _is_message(item)]


def _is_message(item: Any) -> bool:
    return (
        isinstance(item, Mapping)
        and isinstance(item.get("role"), str)
        and isinstance(item.get("content"), str | list)
    )


def parted(messages: Sequence[Message]) -> tuple[list[Message], list[Message]]:
    """Return the system texts at the start of a conversation, and the rest."""
    count = next(
        (i for i, each in enumerate(messages) if each["role"] not in SYSTEM_ROLES), len(messages)
    )
    return list(messages[:count]), list(messages[count:])


def repeated_count(history: Sequence[Message], said: Sequence[Message]) -> int:
    """Return how many messages at the end of a history a conversation begins with."""
    most = min(len(history), len(said))
    return next((n for n in range(most, 0, -1) if _same(history[-n:], said[:n])), 0)


def _same(some: Sequence[Message], others: Sequence[Message]) -> bool:
    return [_key(each) for each in some] == [_key(each) for each in others]


def _key(message: Message) -> tuple[Any, Any]:
    return message.get("role"), message.get("content")
