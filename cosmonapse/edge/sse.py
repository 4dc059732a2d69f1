"""Server-sent events, Signals in and bytes out. Pure.

Spec: https://html.spec.whatwg.org/multipage/server-sent-events.html, section 9.2.
Data is JSON on one line, so no text of a Neuron can end an event or start another field.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ..dendrite.caller.questions import QUESTIONS
from ..errors import DendriteProtocolError
from ..signals import Signal, SignalType
from .outcomes import answer_of, to_json

CONTENT_TYPE = "text/event-stream"
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Cache-Control": "no-cache",
        "X-Accel-Buffering": "no",  # a proxy in front must not buffer the events
    }
)
KEEP_ALIVE = b": keep-alive\n\n"
_SETTLING = (SignalType.AGENT_OUTPUT, SignalType.FINAL, SignalType.ERROR, *QUESTIONS)
_NAMES: Mapping[SignalType, str] = MappingProxyType(
    {
        SignalType.THOUGHT_DELTA: "thought",
        SignalType.AGENT_OUTPUT: "output",
        SignalType.FINAL: "output",
        **dict.fromkeys(QUESTIONS, "question"),
    }
)


def event_of(signal: Signal) -> bytes:
    """Return the event for a Signal.

    `thought` carries `delta` and `seq`; `output` the output; `error` and `question` the body that
    a plain HTTP answer would have; every other type its payload, under its name in lower case.
    """
    name = _NAMES.get(signal.type, signal.type.value.lower())
    data = answer_of(signal).body if signal.type in _SETTLING else signal.payload
    return event(name, data)


def event(name: str, data: Mapping[str, Any]) -> bytes:
    """Return an event.

    Args:
        name: One word; a client listens for it.
        data: The value that becomes JSON.

    Raises:
        ValueError: `name` is empty or holds a line end.
    """
    if not name or "\n" in name or "\r" in name:
        raise ValueError(f"the name of an event must be one line of text, not {name!r}")
    return b"event: %b\ndata: %b\n\n" % (name.encode(), to_json(data))


CUT_OFF = event("error", answer_of(DendriteProtocolError()).body)
"""The last event where the Dendrite was stopped before the task was settled."""
