"""A Signal as text: one aligned line to read, or one JSON object for tools. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import attrs

from ..runtime.printable import printable
from ..signals import SignalType
from .masking import masked
from .observed import ObservedSignal, hex_of
from .preview import preview
from .signal_filter import SHORT_TRACE_CHARS

_TYPE_CHARS = max(len(each.value) for each in SignalType)
_NEURON_CHARS = 20
_LEAST_PREVIEW_CHARS = 20


def _plain(text: str, _: SignalType) -> str:
    return text


@attrs.frozen
class LineFormatter:
    """The format of a Signal as an aligned line.

    Args:
        width: Characters of a line; the preview of the payload is cut there.
        styled: Returns the name of a type with its colours, given both; by default as it is.
        payload: Whether the whole payload follows, indented.
    """

    width: int = 160
    styled: Callable[[str, SignalType], str] = _plain
    payload: bool = False

    def __call__(self, observed: ObservedSignal) -> str:
        """Return the line, or lines, of one Signal."""
        signal = observed.signal
        name = self.styled(f"{signal.type.value:<{_TYPE_CHARS}}", signal.type)
        trace = printable(signal.trace_id[:SHORT_TRACE_CHARS])
        who = _cut(printable(_who(observed)), _NEURON_CHARS)
        before = f"{_clock(signal.ts)}  "
        behind = f"  {trace}  {who:<{_NEURON_CHARS}}  "
        room = self.width - len(before) - _TYPE_CHARS - len(behind)
        said = _cut(printable(preview(signal)), max(room, _LEAST_PREVIEW_CHARS))
        line = f"{before}{name}{behind}{said}".rstrip()
        return line if not self.payload else f"{line}\n{_indented(signal.payload)}"


def json_line(observed: ObservedSignal) -> str:
    """Return a Signal as one JSON object on one line, in ASCII, its secrets masked.

    It has the keys of `cosmo dispatch --json`, and `caller`, `worker` and `bytes`.
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
        "neuron": observed.neuron,
        "caller": hex_of(observed.caller),
        "worker": hex_of(observed.worker),
        "bytes": len(observed.body),
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


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else text[: chars - 1] + "…"


def _indented(payload: dict[str, Any]) -> str:
    text = json.dumps(masked(payload), ensure_ascii=False, indent=2)
    return "\n".join(f"    {printable(line)}" for line in text.split("\n"))
