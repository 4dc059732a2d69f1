"""The thoughts that one job says in a turn of its loop, until they travel as one run. Pure.

Spec: docs/spec/03-routing.md, "Runs"; docs/spec/07-signals.md, "Runs of thoughts".
"""

from __future__ import annotations

from typing import Final

from ...kernel import MAX_RUN_BYTES, MAX_RUN_TEXTS

_ENVELOPE_BYTES: Final = 256
_TEXT_BYTES: Final = 3
"""What msgpack writes in front of a text that fits into a run."""
MAX_TEXT_BYTES: Final = MAX_RUN_BYTES // 4
"""A longer text travels alone: there is nothing to win."""


class OpenRun:
    """Texts with consecutive numbers. Slots, because each turn of a stream makes one.

    Args:
        first_id: The id of its first Signal; those after it are taken for the others.
        seq: The `seq` of the first.
        ts: Wall clock of the first, seconds UTC.
        producer_bytes: Length of the producer of its Signals as bytes.

    Attributes:
        texts: The texts so far.
    """

    __slots__ = ("_room", "first_id", "seq", "texts", "ts")

    def __init__(self, first_id: str, seq: int, ts: float, producer_bytes: int) -> None:
        self.first_id = first_id
        self.seq = seq
        self.ts = ts
        self.texts: list[str] = []
        self._room = MAX_RUN_BYTES - _ENVELOPE_BYTES - producer_bytes

    def add(self, text: str, size: int, seq: int) -> bool:
        """Append a text; return False, and do nothing, if it does not belong to this run.

        Args:
            text: The text.
            size: Its length in bytes.
            seq: Its number within the task.
        """
        texts = self.texts
        size += _TEXT_BYTES
        if seq != self.seq + len(texts) or len(texts) == MAX_RUN_TEXTS or size > self._room:
            return False
        texts.append(text)
        self._room -= size
        return True


def size_of(text: str) -> int | None:
    """Return the length of a text in bytes; None if it is too long for a run, or invalid."""
    if text.isascii():
        size = len(text)
    elif len(text) > MAX_TEXT_BYTES:
        return None
    else:
        try:
            size = len(text.encode())
        except UnicodeEncodeError:  # a lone surrogate
            return None
    return size if size <= MAX_TEXT_BYTES else None
