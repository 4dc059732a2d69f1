"""What a Pathway has seen, and how far each of its readers is. Pure.

Every reader has a cursor of its own, so that none drains another. A question (CLARIFICATION,
PERMISSION, ESCALATION) is a place where the trail may end: it does when a reader stands at the end
and nobody is left who may still be answering it.
"""

from __future__ import annotations

from ...signals import Signal, SignalType

MAX_SIGNALS = 65_536
MAX_BYTES = 64 * 1024 * 1024
Types = frozenset[SignalType]
EVERY: Types = frozenset(SignalType)


class Cursor:
    """How far one reader is.

    Attributes:
        position: Number of the next Signal to look at.
        missed: How many Signals were dropped before it saw them.
        waits: True while its reader waits for a Signal that is not there yet.
    """

    __slots__ = ("_buffer", "_steady", "_types", "missed", "position", "waits")

    def __init__(self, buffer: SignalBuffer, types: Types, steady: bool) -> None:
        self._buffer = buffer
        self._types = types
        self._steady = steady
        self.position = 0
        self.missed = 0
        self.waits = False

    def next(self) -> Signal | None:
        """Return the next Signal of its types and step over it; None when there is none yet."""
        buffer, types = self._buffer, self._types
        if self.position < buffer.start:
            self.missed += buffer.start - self.position
            self.position = buffer.start
        while self.position < buffer.end:
            signal = buffer.at(self.position)
            self.position += 1
            if types is EVERY or signal.type in types:
                return signal
        return None

    def leave(self) -> None:
        """Read no more."""
        self._buffer.cursors.discard(self)

    def may_be_answering(self, question: Signal, position: int) -> bool:
        """Tell whether its reader has the question in hands, or will get it by itself."""
        if question.type not in self._types or self.waits:
            return False
        return self._steady or self.position > position


class SignalBuffer:
    """The Signals of one Pathway, in order, bounded by number and by bytes.

    Over the bound the oldest eighth goes; a cursor that had not seen it counts what it missed.

    Args:
        max_signals: How many are kept.
        max_bytes: How many bytes of encoded Signals are kept.
    """

    def __init__(self, max_signals: int = MAX_SIGNALS, max_bytes: int = MAX_BYTES) -> None:
        self.start = 0
        self.cursors: set[Cursor] = set()
        self._kept: list[tuple[Signal, int]] = []
        self._bytes = 0
        self._max_signals = max_signals
        self._max_bytes = max_bytes
        self._asked: tuple[Signal, int] | None = None

    @property
    def end(self) -> int:
        """The number that the next Signal gets."""
        return self.start + len(self._kept)

    def at(self, position: int) -> Signal:
        """Return the Signal with this number, which must be kept."""
        return self._kept[position - self.start][0]

    def cursor(self, types: Types = EVERY, *, steady: bool) -> Cursor:
        """Return a new cursor in front of everything that is kept.

        Args:
            types: Which Signals its reader gets; the others are stepped over.
            steady: True if the reader takes one Signal after the other by itself, False if it
                comes for each.
        """
        cursor = Cursor(self, types, steady)
        self.cursors.add(cursor)
        return cursor

    def append(self, signal: Signal, size: int) -> None:
        """Take in a Signal of `size` bytes."""
        self._kept.append((signal, size))
        self._bytes += size
        for cursor in self.cursors:
            cursor.waits = False  # its reader has to look at this first
        while self._bytes > self._max_bytes or len(self._kept) > self._max_signals:
            oldest = self._kept[: max(1, len(self._kept) // 8)]
            del self._kept[: len(oldest)]
            self.start += len(oldest)
            self._bytes -= sum(size for _, size in oldest)

    def asked(self, question: Signal) -> None:
        """Note that only readers may still answer a question, if it is here."""
        for position in range(self.end - 1, self.start - 1, -1):
            if self.at(position).id == question.id:
                self._asked = question, position
                return

    def answered(self) -> None:
        """Note that the question has an answer."""
        self._asked = None

    def is_given_up(self) -> bool:
        """Tell whether a question stands here that no reader will answer any more."""
        if self._asked is None or not any(cursor.waits for cursor in self.cursors):
            return False
        return not any(cursor.may_be_answering(*self._asked) for cursor in self.cursors)
