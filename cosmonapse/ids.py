"""Ids of Signals and traces. Spec: docs/spec/07-signals.md, "Ids". Pure.

An id is `evt_` or `trc_` and 26 characters of base 32 (0-9, a-v) over 16 bytes: 18 bits of a mixed
counter, 60 random bits, 50 bits of counter. The mixed bits are first, so that the eight characters
`trace_id[:8]`, which people print, distinguish traces. Ids do not sort by time; `ts` does.
"""

from __future__ import annotations

import re

from .errors import BadSignal
from .runtime import clock

_ALPHABET = "0123456789abcdefghijklmnopqrstuv"
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]
_MIX = 0x2545F
_MIX_MASK = (1 << 18) - 1
_LOW_MASK = (1 << 20) - 1
_COUNT_MASK = (1 << 50) - 1
_PREFIX_CHARS = 4
ID_CHARS = _PREFIX_CHARS + 26


class IdSource:
    """Makes unique ids.

    Args:
        seed: 16 random bytes.
    """

    def __init__(self, seed: bytes) -> None:
        self._random = "".join(_ALPHABET[byte & 31] for byte in seed[:12])
        self._count = int.from_bytes(seed[12:16], "big")
        self._stem = ""
        self._renew_stem()

    def new(self, prefix: str) -> str:
        """Return the next id, `prefix` first."""
        self._count = count = self._count + 1
        low = count & _LOW_MASK
        if not low:
            self._renew_stem()
        mixed = (count * _MIX) & _MIX_MASK
        front, back = _PAIRS[mixed >> 10], _PAIRS[low >> 10]
        return f"{prefix}{front}{_PAIRS[mixed & 1023]}{self._stem}{back}{_PAIRS[low & 1023]}"

    def new_run(self, count: int) -> str:
        """Return the next id of a Signal and set the `count - 1` after it aside."""
        first = self.new("evt_")
        self._count += count - 1
        if (self._count & _LOW_MASK) < count:  # it has passed a multiple
            self._renew_stem()
        return first

    def lease(self, count: int) -> tuple[str, int]:
        """Set `count` counters aside: the next `new` continues after them.

        Returns:
            The 12 random characters of this source, and the first of the counters.
        """
        first = self._count + 1
        self._count += count
        self._renew_stem()
        return self._random, first

    def _renew_stem(self) -> None:
        high = self._count >> 20
        self._stem = (
            self._random
            + _PAIRS[(high >> 20) & 1023]
            + _PAIRS[(high >> 10) & 1023]
            + _PAIRS[high & 1023]
        )


_source = IdSource(clock.random_bytes(16))
_run_source = IdSource(clock.random_bytes(16))
"""Apart, since a run that ends early leaves a gap: traces made in a row shall stay different."""


def _renew_source() -> None:
    global _source, _run_source
    _source = IdSource(clock.random_bytes(16))
    _run_source = IdSource(clock.random_bytes(16))


clock.after_fork(_renew_source)


def new_trace_id() -> str:
    """Return a new trace id, `trc_` and 26 characters."""
    return _source.new("trc_")


def new_event_id() -> str:
    """Return a new Signal id, `evt_` and 26 characters."""
    return _source.new("evt_")


def lease(count: int) -> tuple[str, int]:
    """Set `count` ids of this process aside, for code that makes the texts itself.

    A forked child must drop what is left of a lease, see `clock.after_fork`.

    Returns:
        The 12 random characters of each id, and the counter of the first; the others follow.
    """
    return _source.lease(count)


def new_run_id(count: int) -> str:
    """Return a new Signal id after which `count - 1` more are taken, see `id_after`."""
    return _run_source.new_run(count)


def id_after(first: str, count: int) -> str:
    """Return the id that was made `count` ids after a valid one.

    07-signals, "Runs of thoughts", 2: it follows from the text of the first alone.
    """
    mixed = (int(first[4:8], 32) + count * _MIX) & _MIX_MASK
    number = (int(first[20:], 32) + count) & _COUNT_MASK
    low, high = number & _LOW_MASK, number >> 20
    stem = f"{_PAIRS[(high >> 20) & 1023]}{_PAIRS[(high >> 10) & 1023]}{_PAIRS[high & 1023]}"
    return (
        f"{first[:4]}{_PAIRS[mixed >> 10]}{_PAIRS[mixed & 1023]}{first[8:20]}"
        f"{stem}{_PAIRS[low >> 10]}{_PAIRS[low & 1023]}"
    )


def trace_begun_by(event_id: str) -> str:
    """Return the id of the trace that a Signal begins: its own id with another prefix."""
    return "trc_" + event_id[4:]


_spelled = re.compile(r".{3}_[0-9a-v]{26}", re.DOTALL).fullmatch


def id_bytes(text: str) -> bytes:
    """Return the 16 bytes of an id.

    Raises:
        BadSignal: It is not an id.
    """
    if not isinstance(text, str):
        raise BadSignal(f"an id must be text, not {type(text).__name__}")
    if _spelled(text) is not None:
        try:
            return int(text[4:], 32).to_bytes(16, "big")
        except OverflowError:
            pass  # 26 characters hold two bits more than 16 bytes
    raise BadSignal(
        f"not an id: {text!r:.80}; an id is 'evt_' or 'trc_' and 26 characters of 0-9 a-v"
    )


def own_id_bytes(text: str) -> bytes:
    """Return the 16 bytes of an id that was made here, without a check."""
    return int(text[4:], 32).to_bytes(16, "big")


def id_text(prefix: str, value: bytes) -> str:
    """Return the id of 16 bytes, `prefix` first."""
    number = int.from_bytes(value, "big")
    return prefix + "".join(_PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10))
