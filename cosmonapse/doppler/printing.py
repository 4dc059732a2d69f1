"""Signals printed by a separate thread, so that a blocked terminal delays nothing else.

The queue is bounded; beyond its bound the oldest are dropped, and their number is printed.
"""

from __future__ import annotations

import contextlib
import select
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, TextIO

from .observed import ObservedSignal

MOST_WAITING = 10_000
MOST_WAITING_BYTES = 64 * 1024 * 1024
_WAKE_S = 0.05
_AT_ONCE = 500
_CLOSE_S = 1.0


class Printing(NamedTuple):
    """How Signals and reports are printed.

    Attributes:
        render: Returns the text of a batch of Signals, with its line ends.
        tell: Reports in one line; called by the printing thread, so it may write to the output.
        is_shared: Whether reports appear on the same terminal, and so between the Signals.
    """

    render: Callable[[Sequence[ObservedSignal]], str]
    tell: Callable[[TextIO, str], None]
    is_shared: bool = False


class Printer:
    """Accepts Signals without blocking and prints them as the reader allows.

    Args:
        out: The output; it is closed at the end.
        printing: How it is printed.
        on_gone: Called by that thread when `out` accepts no more; receives the reason.
    """

    def __init__(
        self,
        out: TextIO,
        printing: Printing,
        on_gone: Callable[[Exception], None],
    ) -> None:
        self._out = out
        self._render = printing.render
        self._tell = printing.tell
        self._on_gone = on_gone
        self._lock = threading.Lock()
        self._waiting: deque[ObservedSignal] = deque()
        self._bytes = 0
        self._missed = 0
        self._overrun = 0
        self._notes: list[str] = []
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="doppler", daemon=True)
        self._thread.start()

    def put(self, observed: ObservedSignal) -> None:
        """Add a Signal to the queue."""
        with self._lock:
            self._waiting.append(observed)
            self._bytes += len(observed.body)
            while len(self._waiting) > MOST_WAITING or (
                self._bytes > MOST_WAITING_BYTES and len(self._waiting) > 1
            ):
                self._bytes -= len(self._waiting.popleft().body)
                self._overrun += 1

    def missed(self, count: int) -> None:
        """Add to the number of Signals that were lost on the way here."""
        with self._lock:
            self._missed += count

    def note(self, line: str) -> None:
        """Print a line that is no Signal, between the others."""
        with self._lock:
            self._notes.append(line)

    def close(self) -> None:
        """Print the queue, as far as the reader accepts it within a second."""
        self._closing.set()
        self._thread.join(_CLOSE_S)

    def _run(self) -> None:
        try:
            watcher = _watcher(self._out)
            while not self._closing.wait(_WAKE_S):
                if watcher is not None and watcher.poll(0):
                    raise BrokenPipeError  # as a write would raise
                self._flush()
            self._flush()
        except (OSError, ValueError) as error:
            self._on_gone(error)
        with contextlib.suppress(OSError, ValueError):
            self._out.close()

    def _flush(self) -> None:
        while True:
            with self._lock:
                overrun, self._overrun = self._overrun, 0
                missed, self._missed = self._missed, 0
                notes, self._notes = self._notes, []
                count = min(len(self._waiting), _AT_ONCE)
                batch = [self._waiting.popleft() for _ in range(count)]
                self._bytes -= sum(len(each.body) for each in batch)
            for note in notes:
                self._tell(self._out, note)
            if missed:
                self._tell(self._out, f"({missed:,} Signals missed on the way here)")
            if overrun:
                self._tell(self._out, f"({overrun:,} Signals not shown: this reader is too slow)")
            if batch:
                self._out.write(self._render(batch))
            self._out.flush()
            if not batch:
                return


def each_line(
    text_of: Callable[[ObservedSignal], str],
) -> Callable[[Sequence[ObservedSignal]], str]:
    """Return the function that renders a batch as one text after the other."""
    return lambda batch: "".join(f"{text_of(each)}\n" for each in batch)


def _watcher(out: TextIO) -> select.poll | None:
    """Return a poll that reports that the reader of `out` is gone, even if nothing is written."""
    try:
        watcher = select.poll()
        watcher.register(out.fileno(), 0)
    except (AttributeError, OSError, ValueError):
        return None
    return watcher
