"""Makes and reads TASK Signals: destination, payload, a further attempt. Pure."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from typing import Any

from .cards import CARD_MARK
from .errors import BadSignal
from .ids import id_bytes
from .kernel import decode_signal
from .names import checked_capabilities, checked_name
from .signals import Directed, Signal, SignalType, made

MAX_TIMEOUT_S = 30 * 86_400
"""The longest time that a task may take."""
TOOL_DEPTH = "tool_depth"
"""The key of `meta` with how many calls of tools a TASK stands in."""


def task_for(
    neuron: str | None,
    capabilities: Iterable[str] | None,
    input: Any,  # the public name of the argument
    trace_id: str | None = None,
    parent_id: str | None = None,
    meta: dict[str, Any] | None = None,
    context_ref: Any = None,
    finalize: bool = False,
) -> Signal:
    """Return a TASK for a neuron, or for any neuron that offers all capabilities.

    Raises:
        ValueError: Not exactly one of neuron and capabilities is given, or a name is invalid;
            `parent_id` is not an id.
        TypeError: `meta` is not a dict.
    """
    if neuron is not None and capabilities is None:
        directed = named(neuron)
    else:
        directed = destination(neuron, capabilities)
    if meta is not None and not isinstance(meta, dict):
        raise TypeError(f"meta must be a dict, not {type(meta).__name__}")
    if parent_id is not None:
        id_bytes(parent_id)
    payload: dict[str, Any] = {"input": input}
    if directed.capabilities:
        payload["capabilities"] = list(directed.capabilities)
    if context_ref is not None:
        payload["context_ref"] = context_ref
    if finalize:
        payload["finalize"] = True
    return made(SignalType.TASK, payload, directed, trace_id, parent_id, dict(meta) if meta else {})


def context_ref_in(text: str) -> Any:
    """Return the `context_ref` that a text stands for: JSON if it begins with `{` or `[`.

    Any other text is one itself, such as the name of a session.

    Raises:
        ValueError: It is empty, or invalid JSON.
    """
    if not text.strip():
        raise ValueError("a context_ref must not be empty: give the name of a session, or JSON")
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        told = str(error) if isinstance(error, json.JSONDecodeError) else "it cannot be read"
        raise ValueError(f"a context_ref that begins with {{ or [ is JSON: {told}") from None


def tool_depth(task: Signal) -> int:
    """Return how many calls of tools a TASK stands in; 0 for what is no such number."""
    depth = task.meta.get(TOOL_DEPTH)
    return depth if isinstance(depth, int) and depth > 0 else 0


def repeated(task: Signal, attempt: int) -> Signal:
    """Return the TASK of a further attempt: a new id, and the id of the first as its key."""
    meta = {**task.meta, "attempt": attempt, "idempotency_key": task.id}
    return made(SignalType.TASK, task.payload, task.directed, task.trace_id, task.parent_id, meta)


def card_request(neuron: str) -> Signal:
    """Return a TASK that asks a Neuron for its card, and does not run it.

    It has no input: a Dendrite that knows no cards refuses it with BAD_SIGNAL, and runs nothing.
    """
    return made(SignalType.TASK, {}, named(neuron), None, None, {CARD_MARK: True})


def is_of_card(signal: Signal) -> bool:
    """Return whether a Signal asks for a card or is one: no work, and so not shown as work."""
    if signal.meta.get(CARD_MARK) is not True:
        return False
    if signal.type is SignalType.TASK:
        return "input" not in signal.payload
    return signal.type is SignalType.AGENT_OUTPUT


def task_in(body: bytes) -> Signal:
    """Return a TASK with an input, or one that asks for the card of its Neuron.

    Raises:
        BadSignal: The bytes are no such TASK.
    """
    signal = decode_signal(body)
    if signal.type is not SignalType.TASK:
        raise BadSignal(f"expected a TASK, got a {signal.type.value}")
    if "input" not in signal.payload and signal.meta.get(CARD_MARK) is not True:
        raise BadSignal("the TASK has no input")
    return signal


def destination(neuron: str | None, capabilities: Iterable[str] | None) -> Directed:
    """Return the destination of a TASK.

    Raises:
        ValueError: Not exactly one of neuron and capabilities is given, or a name is invalid.
    """
    if (neuron is None) == (not capabilities):
        raise ValueError("give either neuron= or capabilities=, and not both")
    if neuron is not None:
        return named(neuron)
    return Directed(None, "neuron", checked_capabilities(capabilities))


@functools.lru_cache(maxsize=1024)
def named(neuron: str) -> Directed:
    """Return the destination of a TASK for a neuron.

    Raises:
        InvalidName: `neuron` is not a valid name.
    """
    return Directed(checked_name("neuron", neuron), "neuron")
