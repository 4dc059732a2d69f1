"""The text for a terminal on which each stream is one line that grows. Pure.

The lines of running streams stand at the bottom, below all others. Each update erases them, prints
the new lines in their place, and prints the running streams again below.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import attrs

from ..signals import SignalType
from .columns import cells
from .durations import REPLIES
from .formatter import LineFormatter
from .observed import ObservedSignal

MOST_STREAMS = 6
_MOST_CHARS = 4_000
_ENDS = REPLIES | {SignalType.FINAL, SignalType.STOPPED}
_OF_THE_TRACE = frozenset({SignalType.ERROR, SignalType.FINAL, SignalType.STOPPED})
_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_Key = tuple[str, str | None]


@attrs.define
class _Stream:
    """The pieces of one stream so far.

    Args:
        first: The first piece.
        text: The end of its text.
    """

    first: ObservedSignal
    text: str = ""


class LiveStreams:
    """Renders batches of Signals; streams grow, everything else is a line each.

    At most 6 streams grow at a time, fewer on a low terminal; of more the oldest stops growing, and
    its next piece begins a new line.

    Args:
        line_of: The format of a line.
        size: Returns columns and rows of the terminal as they are now.
    """

    def __init__(self, line_of: LineFormatter, size: Callable[[], tuple[int, int]]) -> None:
        self._line_of = line_of
        self._size = size
        self._running: dict[_Key, _Stream] = {}
        self._shown: list[int] = []

    def render(self, batch: Iterable[ObservedSignal]) -> str:
        """Return the text that shows these Signals too."""
        lines: list[str] = []
        for observed in batch:
            signal = observed.signal
            key = (signal.trace_id, observed.neuron)
            if signal.type is SignalType.THOUGHT_DELTA:
                self._grow(key, observed)
                continue
            if signal.type in _ENDS:
                lines += self._ended(key, whole_trace=signal.type in _OF_THE_TRACE)
            lines.append(self._line_of(observed))
        columns, rows = self._size()
        while len(self._running) > max(1, min(MOST_STREAMS, rows - 2)):
            lines += self._ended(next(iter(self._running)), whole_trace=False)
        return self._around(lines, columns)

    def insert(self, line: str) -> str:
        """Return the text that shows one more line, above the running streams."""
        return self._around([line], self._size()[0])

    def _grow(self, key: _Key, observed: ObservedSignal) -> None:
        stream = self._running.setdefault(key, _Stream(observed))
        delta = observed.signal.payload.get("delta")
        text = delta if isinstance(delta, str) else repr(delta)
        stream.text = (stream.text + text)[-_MOST_CHARS:]

    def _ended(self, key: _Key, whole_trace: bool) -> list[str]:
        """Remove streams that grow no more and return their lines."""
        ended = [
            each for each in self._running if each == key or (whole_trace and each[0] == key[0])
        ]
        return [self._line(self._running.pop(each)) for each in ended]

    def _line(self, stream: _Stream) -> str:
        return self._line_of.line(stream.first, stream.text, shows_end=True)

    def _around(self, lines: list[str], columns: int) -> str:
        rows = sum(max(1, -(-each // max(1, columns))) for each in self._shown)
        erased = f"\x1b[{rows}A\r\x1b[J" if rows else ""
        running = [self._line(each) for each in self._running.values()]
        self._shown = [cells(_STYLE.sub("", each)) for each in running]
        return erased + "".join(f"{each}\n" for each in (*lines, *running))
