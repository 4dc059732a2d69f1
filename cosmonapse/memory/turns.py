"""The turns of a chat: which one a task was, and which come with the next. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from ..errors import NeuronError
from ..memory_ops import as_utf8
from ..neurons.answers import OUTPUT_TEXT_KEYS
from ..neurons.answers import Message as Message
from ..neurons.chat import messages_from
from ..neurons.history import messages_in, parted, repeated_count
from ..signals import Signal, SignalType

MAX_SESSION_CHARS = 256
"""The most characters of the name of a session."""
MAX_LAST = 1000
"""The most turns that come with a task."""
DEFAULT_LAST = 20
"""How many turns come with a task without a number."""
ROLES = frozenset({"user", "assistant"})
_CUT = "…"
_FORM = '{"session": "s1", "last": 20}'


@attrs.frozen
class SessionRef:
    """Which session a task belongs to, and how many of its turns it wants.

    Args:
        session: The name of the session, any text of 1 to 256 characters.
        last: How many turns, 1 to 1,000.
    """

    session: str
    last: int = DEFAULT_LAST


def session_ref(context_ref: Any) -> SessionRef:
    """Return the session that a `context_ref` names: `{"session", "last"}`, or its name alone.

    Raises:
        ValueError: It names none.
    """
    given = {"session": context_ref} if isinstance(context_ref, str) else context_ref
    if not isinstance(given, Mapping):
        raise ValueError(f"context_ref must be {_FORM}, not {context_ref!r:.100}")  # noqa: TRY004
    last = given.get("last", DEFAULT_LAST)
    if not isinstance(last, int) or isinstance(last, bool) or not 1 <= last <= MAX_LAST:
        raise ValueError(f"last must be a number from 1 to {MAX_LAST:,}, not {last!r:.100}")
    return SessionRef(checked_session(given.get("session")), last)


def checked_session(session: Any) -> str:
    """Return the name of a session.

    Raises:
        ValueError: It is no text of 1 to 256 characters.
    """
    if not isinstance(session, str) or not 1 <= len(session) <= MAX_SESSION_CHARS:
        raise ValueError(
            f"a session is a text of 1 to {MAX_SESSION_CHARS} characters, not {session!r:.100}"
        )
    return checked_text(session, "a session")


def checked_text(text: str, what: str = "a message") -> str:
    """Return a text that can be kept.

    Args:
        text: The text.
        what: What it is.

    Raises:
        ValueError: It holds half of a surrogate pair.
    """
    as_utf8(what, text)
    return text


def said_in(task: Signal) -> list[Message]:
    """Return what the input of a task says, without system texts; JSON if it is no chat."""
    given = task.payload.get("input")
    try:
        said = parted(messages_from(given))[1]
    except NeuronError:
        said = [{"role": "user", "content": _as_text(given)}]
    return [_plain(each) for each in messages_in(said) if each["role"] in ROLES]


def _plain(message: Message) -> Message:
    return {"role": message["role"], "content": message["content"]}


def answer_in(reply: Signal) -> Message:
    """Return what the reply to a task says: its output as a text, or its question."""
    return {"role": "assistant", "content": _answer(reply)}


def _answer(reply: Signal) -> str:
    payload = reply.payload
    if reply.type is SignalType.CLARIFICATION:
        return _as_text(payload.get("question"))
    if reply.type is SignalType.PERMISSION:
        return f"I ask for permission: {_as_text(payload.get('action'))}"
    if reply.type is SignalType.ESCALATION:
        return _as_text(payload.get("reason"))
    output = payload.get("output")
    texts = [
        output[key] for key in OUTPUT_TEXT_KEYS if isinstance(output, Mapping) and key in output
    ]
    return _as_text(texts[0] if texts else output)


def turn_of(said: Sequence[Message], answer: Message, history: Sequence[Message]) -> list[Message]:
    """Return the messages of a turn, without those that the history has already."""
    return [*said[repeated_count(history, said) :], answer]


def cut(messages: Sequence[Message], most_bytes: int) -> list[Message]:
    """Return messages of at most about so many bytes as JSON; the end of what is too long is cut.

    Each may have an equal share. Of a message with parts that is too long the texts are kept.
    """
    if size_of(messages) <= most_bytes:
        return list(messages)
    share = most_bytes // len(messages)
    return [
        each if size_of([each]) <= share else {**each, "content": _cut(each["content"], share)}
        for each in messages
    ]


def _cut(content: Any, share: int) -> str:
    parts = content if isinstance(content, list) else [{"text": content}]
    texts = [part.get("text") for part in parts if isinstance(part, Mapping)]
    text = "\n".join(each for each in texts if isinstance(each, str))
    return text.encode()[: max(0, share - 64) // 2].decode(errors="ignore") + _CUT


def size_of(messages: Sequence[Message]) -> int:
    """Return the bytes of messages as JSON."""
    return len(json.dumps(messages, ensure_ascii=False, default=str).encode())


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
