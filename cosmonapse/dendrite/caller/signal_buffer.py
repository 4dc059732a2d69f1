"""The Signals of a Pathway and the positions of its readers. Pure.

Every reader has a cursor of its own, so that no reader takes a Signal from another. At a question
(CLARIFICATION, PERMISSION, ESCALATION) the Pathway may end: it does when a reader waits for more
and no reader is left that may still answer.

Thoughts are stored as they came, with their texts beside them: most readers want the texts alone,
and 65,536 Signals cost the garbage collector more than all of the reading. A Signal is made when a
reader asks for it.
"""

from __future__ import annotations

from ...kernel import decode_signal, run_signals
from ...payloads import response_text
from ...signals import Signal, SignalType, came_from

MAX_SIGNALS = 65_536
MAX_BYTES = 64 * 1024 * 1024
Types = frozenset[SignalType]
EVERY: Types = frozenset(SignalType)


class _Thoughts:
    """The thoughts of one body, as it came."""

    __slots__ = ("_body", "_count", "_had", "_origin", "position")

    def __init__(
        self, body: bytes, count: int, had: int, position: int, origin: str | None
    ) -> None:
        self._body = body
        self._origin = origin
        self._count = count
        self._had = had
        self.position = position

    def signals(self) -> list[Signal]:
        """Return their Signals."""
        is_run = self._count > 1
        signals = run_signals(self._body)[self._had :] if is_run else [decode_signal(self._body)]
        if self._origin is not None:
            for signal in signals:
                came_from(signal, self._origin)
        return signals


class Cursor:
    """The position of one reader.

    Attributes:
        position: Number of the next Signal.
        missed: The number of Signals that were dropped before this cursor reached them, or were
            lost on their way before one that it has read.
        waits: True while its reader waits for a Signal that has not arrived.
    """

    __slots__ = ("_buffer", "_is_loop", "_lost", "_types", "missed", "position", "waits")

    def __init__(self, buffer: SignalBuffer, types: Types, is_loop: bool) -> None:
        self._buffer = buffer
        self._types = types
        self._is_loop = is_loop
        self.position = 0
        self.missed = 0
        self.waits = False
        self._lost = 0

    @property
    def is_far_behind(self) -> bool:
        """Whether so many Signals wait for its reader that some may soon be dropped."""
        return self._buffer.end - self.position > MAX_SIGNALS // 8

    def next(self) -> Signal | None:
        """Return the next Signal of its types and advance; None if there is none yet."""
        buffer, types = self._buffer, self._types
        if self.position < buffer.start:
            self.missed += buffer.start - self.position + buffer.lost_before - self._lost
            self._lost = buffer.lost_before
            self.position = buffer.start
        while self.position < buffer.end:
            position = self.position
            if buffer.lost:
                self._count_lost()
            self.position = position + 1
            if types is EVERY or buffer.type_at(position) in types:
                return buffer.at(position)
        return None

    def next_text(self) -> str | None:
        """Return the next text of the response and advance; None if there is none yet."""
        buffer = self._buffer
        while True:
            text = buffer.text_at(self.position)
            if text is not None:
                if buffer.lost:
                    self._count_lost()
                self.position += 1
                return text
            signal = self.next()
            if signal is None:
                return None
            text = response_text(signal)
            if text is not None:
                return text

    def _count_lost(self) -> None:
        """Count what was lost on its way before the next Signal."""
        count = self._buffer.lost.get(self.position, 0)
        self._lost += count
        self.missed += count

    def leave(self) -> None:
        """Stop reading."""
        self._buffer.cursors.discard(self)

    def may_be_answering(self, question: Signal, position: int) -> bool:
        """Return whether its reader is handling the question or will receive it by itself."""
        if question.type not in self._types or self.waits:
            return False
        return self._is_loop or self.position > position


class SignalBuffer:
    """The Signals of one Pathway, in order, bounded by number and by bytes.

    Over a bound the oldest eighth is dropped; a cursor that had not reached it counts it as missed.

    Args:
        max_signals: The bound for Signals.
        max_bytes: The bound for bytes of encoded Signals.

    Attributes:
        start: The number of the oldest stored Signal.
        cursors: The positions of its readers.
        lost: How many Signals were lost on their way directly before a stored one, by its number.
        lost_before: How many were lost before those that are stored.
    """

    def __init__(self, max_signals: int = MAX_SIGNALS, max_bytes: int = MAX_BYTES) -> None:
        self.start = 0
        self.cursors: set[Cursor] = set()
        self.lost: dict[int, int] = {}
        self.lost_before = 0
        self._stored: list[Signal | _Thoughts] = []
        self._texts: list[str | None] = []
        self._sizes: list[int] = []
        self._bytes = 0
        self._max_signals = max_signals
        self._max_bytes = max_bytes
        self._open_question: tuple[Signal, int] | None = None

    @property
    def end(self) -> int:
        """The number of the next Signal to arrive."""
        return self.start + len(self._stored)

    def at(self, position: int) -> Signal:
        """Return the Signal with this number, which must be stored."""
        item = self._stored[position - self.start]
        return item if isinstance(item, Signal) else self._read(item, position)

    def _read(self, thoughts: _Thoughts, position: int) -> Signal:
        """Make the Signals of thoughts that are stored, and return one of them."""
        signals = thoughts.signals()
        for at, signal in enumerate(signals, thoughts.position):
            if at >= self.start:
                self._stored[at - self.start] = signal
        return signals[position - thoughts.position]

    def type_at(self, position: int) -> SignalType:
        """Return the type of the Signal with this number, which must be stored."""
        item = self._stored[position - self.start]
        return item.type if isinstance(item, Signal) else SignalType.THOUGHT_DELTA

    def text_at(self, position: int) -> str | None:
        """Return the text of a thought that is stored as it came; else None."""
        at = position - self.start
        return self._texts[at] if 0 <= at < len(self._texts) else None

    def cursor(self, types: Types = EVERY, *, is_loop: bool) -> Cursor:
        """Return a new cursor at the oldest stored Signal.

        Args:
            types: The Signals that its reader receives; the others are skipped.
            is_loop: True if the reader reads one Signal after the other by itself, False if the
                program calls for each.
        """
        cursor = Cursor(self, types, is_loop)
        self.cursors.add(cursor)
        return cursor

    def lose(self, count: int) -> None:
        """Record that so many Signals are lost on their way before the next one that arrives."""
        self.lost[self.end] = self.lost.get(self.end, 0) + count

    def append(self, signal: Signal, size: int) -> None:
        """Add a Signal of `size` bytes."""
        self._stored.append(signal)
        self._texts.append(None)
        self._sizes.append(size)
        self._bytes += size
        self._appended()

    def append_thoughts(
        self, body: bytes, texts: list[str], had: int, origin: str | None = None
    ) -> None:
        """Add the thoughts of a body, but the first `had` of them.

        Args:
            body: A valid THOUGHT_DELTA, or a run.
            texts: All of its texts.
            had: How many of them are not added.
            origin: The name of the key that they came from.
        """
        count = len(texts) - had
        thoughts = _Thoughts(body, len(texts), had, self.end, origin)
        self._stored.extend([thoughts] * count)
        self._texts.extend(texts[had:] if had else texts)
        size = len(body) // count
        self._sizes.extend([size] * count)
        self._bytes += size * count
        self._appended()

    def _appended(self) -> None:
        for cursor in self.cursors:
            cursor.waits = False  # its reader has to handle this Signal first
        while self._bytes > self._max_bytes or len(self._stored) > self._max_signals:
            count = max(1, len(self._stored) // 8)
            self._bytes -= sum(self._sizes[:count])
            self.start += count
            for each in (self._stored, self._texts, self._sizes):
                del each[:count]
            for position in [at for at in self.lost if at < self.start]:
                self.lost_before += self.lost.pop(position)

    def asked(self, question: Signal) -> None:
        """Record that only readers may still answer a question, if it is stored."""
        for position in range(self.end - 1, self.start - 1, -1):
            item = self._stored[position - self.start]
            if isinstance(item, Signal) and item.id == question.id:
                self._open_question = question, position
                return

    def answered(self) -> None:
        """Record that the question has an answer."""
        self._open_question = None

    def has_abandoned_question(self) -> bool:
        """Return whether there is an open question that no reader will answer any more."""
        if self._open_question is None or not any(cursor.waits for cursor in self.cursors):
            return False
        return not any(cursor.may_be_answering(*self._open_question) for cursor in self.cursors)
