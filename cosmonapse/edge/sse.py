"""Server-sent events, Signals in and bytes out. Pure.

Spec: https://html.spec.whatwg.org/multipage/server-sent-events.html, section 9.2.
Data is JSON on one line, so no text of a Neuron can end an event or start another field.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ..errors import DendriteProtocolError
from ..signals import QUESTIONS, Signal, SignalType
from . import gaps
from .outcomes import answer_of, to_json

CONTENT_TYPE = "text/event-stream"
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Cache-Control": "no-cache",
        "X-Accel-Buffering": "no",  # a proxy in front must not buffer the events
    }
)
LAST_EVENT_ID = "HTTP_LAST_EVENT_ID"
"""The name of the header in the environment of a WSGI request."""
KEEP_ALIVE = b": keep-alive\n\n"
_END = "end-"
_SETTLING = (SignalType.AGENT_OUTPUT, SignalType.FINAL, SignalType.ERROR, *QUESTIONS)
_NAMES: Mapping[SignalType, str] = MappingProxyType(
    {
        SignalType.THOUGHT_DELTA: "thought",
        SignalType.AGENT_OUTPUT: "output",
        SignalType.FINAL: "output",
        **dict.fromkeys(QUESTIONS, "question"),
    }
)


def event_of(signal: Signal, missed: int = 0) -> bytes:
    """Return the event for a Signal, behind a `gap` if Signals are missing before it.

    `thought` carries `delta` and `seq`; `output` the output; `error` and `question` the body that
    a plain HTTP answer would have; every other type its payload, under its name in lower case.

    Args:
        signal: The Signal.
        missed: How many Signals were dropped before it.
    """
    name = _NAMES.get(signal.type, signal.type.value.lower())
    if signal.type in _SETTLING:
        return gap(missed) + event(name, answer_of(signal).body, _END + signal.trace_id)
    return gap(missed) + event(name, signal.payload)


def gap(missed: int) -> bytes:
    """Return the event that says how many Signals are missing at its place; none for 0."""
    return event(gaps.EVENT, {gaps.KEY: missed}) if missed else b""


def event(name: str, data: Mapping[str, Any], event_id: str = "") -> bytes:
    """Return an event.

    Args:
        name: One word; a client listens for it.
        data: The value that becomes JSON.
        event_id: What a client that connects again sends as `Last-Event-ID`; empty for none.

    Raises:
        ValueError: `name` is empty, or one of them holds a line end.
    """
    if not name or {"\n", "\r", "\0"}.intersection(name + event_id):
        raise ValueError(
            f"name and id of an event must be one line of text, not {name!r} and {event_id!r}"
        )
    named = b"id: %b\n" % event_id.encode() if event_id else b""
    return b"event: %b\ndata: %b\n%b\n" % (name.encode(), to_json(data), named)


def is_over(last_event_id: str | None) -> bool:
    """Return whether the header `Last-Event-ID` of a request names the last event of a stream.

    EventSource connects again after the end of each stream. Status 204 makes it stop; a new stream
    would run the model again.
    """
    return last_event_id is not None and last_event_id.startswith(_END)


CUT_OFF = event("error", answer_of(DendriteProtocolError()).body, _END + "stopped")
"""The last event where the Dendrite was stopped before the task was settled."""
