"""A Signal as text: one aligned line to read, or one JSON object for tools. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import attrs

from ..runtime.printable import printable
from ..signals import SignalType
from .columns import cells, cut, cut_front, layout_of, padded
from .durations import length
from .masking import masked
from .observed import ObservedSignal, hex_of
from .preview import preview
from .signal_filter import SHORT_TRACE_CHARS

_GAP = "  "
_PIPE_CELLS = 200
_MAX_MS = 1 << 53


def plain(text: str, type: SignalType) -> str:
    """Return `text` as it is, whatever the type."""
    return text


def _for_a_pipe() -> int:
    return _PIPE_CELLS


@attrs.frozen
class LineFormatter:
    """The format of a Signal as an aligned line.

    Args:
        width: Returns the cells of a line as they are now; no line is wider.
        styled: Returns the name of a type with its colours, given both; by default as it is.
        payload: Whether the whole payload follows, indented.
    """

    width: Callable[[], int] = _for_a_pipe
    styled: Callable[[str, SignalType], str] = plain
    payload: bool = False

    def __call__(self, observed: ObservedSignal) -> str:
        """Return the line, or lines, of one Signal."""
        line = self.line(observed, preview(observed.signal))
        return line if not self.payload else f"{line}\n{_indented(observed.signal.payload)}"

    def line(self, observed: ObservedSignal, said: str, *, shows_end: bool = False) -> str:
        """Return one line.

        Args:
            observed: The Signal of the columns.
            said: The text after the columns.
            shows_end: Whether the end of a long text is shown, not its beginning.
        """
        signal, width = observed.signal, self.width()
        layout = layout_of(width)
        clock = _clock(signal.ts)[: layout.clock]
        name = padded(signal.type.value, layout.type)
        trace = padded(printable(signal.trace_id[:SHORT_TRACE_CHARS]), layout.trace)
        who = padded(printable(_who(observed)), layout.neuron)
        before = clock + _GAP if layout.clock else ""
        behind = _GAP + (trace + _GAP if layout.trace else "") + who + _GAP
        room = width - cells(before + name + behind)
        if room < 1:
            return cut((before + name + behind).rstrip(), max(1, width))
        took = _took(observed)
        text = (cut_front if shows_end else cut)(took + printable(said), room)
        return f"{before}{self.styled(name, signal.type)}{behind}{text}".rstrip()


def json_line(observed: ObservedSignal) -> str:
    """Return a Signal as one JSON object on one line, in ASCII, its secrets masked.

    It has the keys of `cosmo dispatch --json`, and `caller`, `worker`, `bytes` and `duration_s`.
    """
    signal, directed = observed.signal, observed.signal.directed
    value = {
        "type": signal.type.value,
        "payload": masked(signal.payload),
        "directed": None if directed is None else attrs.asdict(directed),
        "trace_id": signal.trace_id,
        "parent_id": signal.parent_id,
        "meta": masked(signal.meta),
        "id": signal.id,
        "ts": masked(signal.ts),
        "v": signal.v,
        "origin": signal.origin,
        "neuron": observed.neuron,
        "caller": hex_of(observed.caller),
        "worker": hex_of(observed.worker),
        "bytes": len(observed.body),
        "duration_s": observed.duration_s,
    }
    return json.dumps(value, allow_nan=False).replace("\x7f", "\\u007f")


def _clock(ts: float) -> str:
    try:
        return datetime.fromtimestamp(ts).astimezone().strftime("%H:%M:%S.%f")[:-3]
    except (ValueError, OverflowError, OSError):  # a foreign clock may send any value
        return "--:--:--.---"


def _who(observed: ObservedSignal) -> str:
    directed = observed.signal.directed
    if directed is None:
        return ""
    return directed.id or ", ".join(directed.capabilities)


def _took(observed: ObservedSignal) -> str:
    """Return how long a task took as it is seen here, and of it as its worker told."""
    meta, parts = observed.signal.meta, []
    if observed.duration_s is not None:
        parts.append(length(observed.duration_s))
    queued_ms, ran_ms = _count(meta.get("queued_ms")), _count(meta.get("ran_ms"))
    if queued_ms:
        parts.append(f"queued {length(queued_ms / 1000)}")
    if ran_ms is not None and observed.duration_s is None:
        parts.append(f"ran {length(ran_ms / 1000)}")
    return f"[{', '.join(parts)}] " if parts else ""


def _count(value: Any) -> int | None:
    """Return a count out of the meta of anybody; None if it is none."""
    return value if value.__class__ is int and 0 <= value < _MAX_MS else None


def _indented(payload: dict[str, Any]) -> str:
    text = json.dumps(masked(payload), ensure_ascii=False, indent=2)
    return "\n".join(f"    {printable(line)}" for line in text.split("\n"))
