"""The progress of a measurement on stderr: a bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

_WIDTH = 24
_CLEAR = "\r\x1b[K"
_LINE_EVERY_S = 5.0


class Progress:
    """A bar of steps on a terminal; in a log at most one line in 5 s.

    Args:
        steps: How many steps there will be; with fewer or more the bar stays in its bounds.
        stream: Where it is shown; stderr by default.
        now: The clock, in seconds.
    """

    def __init__(
        self,
        steps: int,
        stream: TextIO | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream or sys.stderr
        self._steps = max(1, steps)
        self._done = 0
        self._shows = self._stream.isatty()
        self._now = now
        self._line_at = now() + _LINE_EVERY_S

    def step(self, text: str) -> None:
        """Report one more step with its result."""
        self._done += 1
        if self._shows:
            columns = shutil.get_terminal_size().columns
            line = f"{bar(self._done / self._steps, _WIDTH)} {text}"[: columns - 1]
            self._stream.write(f"{_CLEAR}{line}")
            self._stream.flush()
        elif self._now() >= self._line_at:
            self._line_at = self._now() + _LINE_EVERY_S
            self._stream.write(f"{min(1.0, self._done / self._steps):4.0%} {text}\n")
            self._stream.flush()

    def close(self) -> None:
        """Remove the bar."""
        if self._shows:
            self._stream.write(_CLEAR)
            self._stream.flush()


def bar(part: float, width: int) -> str:
    """Return a bar in ASCII of which that part is full, and the percentage."""
    part = min(1.0, max(0.0, part))
    full = int(part * width)
    return f"[{'#' * full}{'.' * (width - full)}] {part:4.0%}"
