"""The lines of stdin, on the event loop: a terminal, a pipe or a file."""

from __future__ import annotations

import asyncio
import codecs
import os
import sys
from collections import deque
from collections.abc import Callable

_PIECE_BYTES = 65_536
_MAX_LINES = 1_000
_MAX_LINE_CHARS = 16 * 1024 * 1024


class StdinLines:
    """Lines of stdin that were not used yet.

    Reading pauses at 1,000 lines, plus the rest of the last piece, until some are used. A line of
    over 16 Mi characters is cut.

    Args:
        news: Called when there is a line, or at the end of input.

    Attributes:
        ended: Whether nothing more comes.
        typed: Whether a person sits there.
    """

    def __init__(self, news: Callable[[], None]) -> None:
        self.ended = False
        self.typed = False
        self._news = news
        self._lines: deque[str] = deque()
        self._rest = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._fd = -1
        self._reading = False

    def __len__(self) -> int:
        """Return how many lines there are."""
        return len(self._lines)

    def start(self) -> None:
        """Begin to read."""
        try:
            self._fd = sys.stdin.fileno()
        except (AttributeError, OSError, ValueError):  # closed, or replaced by a program
            self._end()
            return
        self.typed = os.isatty(self._fd)
        self._read_on()

    def take(self) -> str:
        """Remove the oldest line and return it."""
        line = self._lines.popleft()
        if not self._reading and not self.ended and len(self._lines) < _MAX_LINES:
            self._read_on()
        return line

    def forget(self) -> None:
        """Drop all lines that a person has typed so far; lines of a pipe stay."""
        if self.typed:
            self._lines.clear()

    def stop(self) -> None:
        """Read no more."""
        if self._reading:
            self._reading = False
            asyncio.get_running_loop().remove_reader(self._fd)

    def _read_on(self) -> None:
        try:
            asyncio.get_running_loop().add_reader(self._fd, self._read)
            self._reading = True
        except OSError:  # a file never blocks, and an event loop cannot watch it
            while not self.ended and len(self._lines) < _MAX_LINES:
                self._read()

    def _read(self) -> None:
        try:
            piece = os.read(self._fd, _PIECE_BYTES)
        except BlockingIOError:
            return
        except OSError:  # the terminal was closed
            piece = b""
        *lines, self._rest = (self._rest + self._decoder.decode(piece, not piece)).split("\n")
        if len(self._rest) > _MAX_LINE_CHARS or (self._rest and not piece):
            lines.append(self._rest)
            self._rest = ""
        self._lines.extend(lines)
        if not piece:
            self._end()
        elif len(self._lines) >= _MAX_LINES:
            self.stop()
        if lines:
            self._news()

    def _end(self) -> None:
        self.stop()
        self.ended = True
        self._news()
