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


def _renew_source() -> None:
    global _source
    _source = IdSource(clock.random_bytes(16))


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
