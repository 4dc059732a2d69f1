"""Calls of tools in an answer: their parts as they come, and the calls made of them. Pure.

A streamed call comes in parts: its id and name once, its arguments as pieces of a JSON text.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, NoReturn

MAX_CALLS_OF_TURN = 32
"""The most calls of one turn of a model that are run."""
_KNOWN_KEYS = frozenset({"index", "id", "type", "function"})


class CallPart(NamedTuple):
    """A part of the call of a tool. A tuple: each event of a streamed call makes one.

    Args:
        index: Which call of the answer it belongs to; None if the provider does not tell.
        id: The provider's id of the call, in one part at least.
        name: The name of the tool, in one part at least.
        arguments: A piece of its arguments as JSON.
        extra: What else the provider says of the call, and wants back with it.
    """

    index: Any = None
    id: str = ""
    name: str = ""
    arguments: str = ""
    extra: Mapping[str, Any] | None = None


class ToolCall(NamedTuple):
    """The whole call of a tool.

    Args:
        id: The provider's id of it; "" if it gave none.
        name: The name of the tool.
        arguments: Its arguments as the model wrote them, a JSON text if all is well.
        extra: As in `CallPart`.
    """

    id: str
    name: str
    arguments: str
    extra: Mapping[str, Any] = {}


def chat_part(call: Any, function: Any) -> CallPart:
    """Return the part that an entry of `tool_calls` is, in a message or in a delta of one."""
    arguments = function.get("arguments")
    if isinstance(arguments, Mapping):  # some servers send the object in place of its text
        arguments = json.dumps(arguments)
    extra = {key: value for key, value in call.items() if key not in _KNOWN_KEYS}
    return CallPart(
        index=call.get("index"),
        id=_text(call.get("id")),
        name=_text(function.get("name")),
        arguments=_text(arguments),
        extra=extra if call is not function and extra else None,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


class _Open:
    """A call whose parts still come."""

    def __init__(self, part: CallPart) -> None:
        self.index = part.index
        self.id = ""
        self.name = ""
        self.pieces: list[str] = []
        self.extra: dict[str, Any] = {}

    def add(self, part: CallPart) -> None:
        self.id = self.id or part.id
        self.name = self.name or part.name
        self.pieces.append(part.arguments)
        self.extra.update(part.extra or {})

    def is_begun_anew_by(self, part: CallPart) -> bool:
        """Return whether a part with a name is a call of its own: this one is whole already."""
        if not part.name or not self.name:
            return False
        try:
            json.loads("".join(self.pieces))
        except (ValueError, RecursionError):
            return False
        return True

    def whole(self) -> ToolCall:
        return ToolCall(self.id, self.name, "".join(self.pieces), self.extra)


def assembled(parts: Iterable[CallPart]) -> tuple[ToolCall, ...]:
    """Return the calls that parts make, in the order of their first parts."""
    calls: list[_Open] = []
    for part in parts:
        call = _call_of(part, calls)
        if call is None:
            call = _Open(part)
            calls.append(call)
        call.add(part)
    return tuple(call.whole() for call in calls)


def _call_of(part: CallPart, calls: list[_Open]) -> _Open | None:
    """Return the call that a part goes on with; None if it begins one.

    A new id begins a call whatever its index: some servers give all of them the index 0. So does a
    name after a whole call: some servers give all of them one id, or none.
    """
    call = _same_as(part, calls)
    return None if call is None or call.is_begun_anew_by(part) else call


def _same_as(part: CallPart, calls: list[_Open]) -> _Open | None:
    """Return the call that the index or the id of a part belongs to."""
    for call in reversed(calls):
        is_same_id = not part.id or not call.id or part.id == call.id
        if part.index is not None:
            if call.index == part.index and is_same_id:
                return call
        elif part.id and call.id == part.id:
            return call
    if part.index is None and not part.id and not part.name and calls:
        return calls[-1]
    return None


def arguments_of(call: ToolCall) -> dict[str, Any]:
    """Return the arguments of a call; none at all is an empty object.

    Raises:
        ValueError: They are no JSON object; the text says so to the model.
    """
    if not call.arguments.strip():
        return {}
    try:
        found = json.loads(call.arguments, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        what = f"the arguments {call.arguments!r:.200} are no valid JSON ({error})"
        raise ValueError(f"{what}; call it again") from None
    if not isinstance(found, dict):
        kind = type(found).__name__
        raise ValueError(f"the arguments must be a JSON object and are a {kind}; call it again")  # noqa: TRY004
    return found


def object_of(call: ToolCall) -> dict[str, Any]:
    """Return the arguments of a call for its provider, {} for malformed ones.

    Some take an object only, others refuse a conversation with malformed arguments in it.
    """
    try:
        return arguments_of(call)
    except ValueError:
        return {}


def _finite(text: str) -> float:
    """Return a number; one that JSON can write and no float can hold cannot be sent on."""
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number that can be sent")
