"""One step of a trace: a Signal, or the thoughts of a task that follow each other. Pure."""

from __future__ import annotations

from typing import Any

import attrs

from ..doppler.masking import Masking
from ..doppler.observed import ObservedSignal
from ..signals import Signal
from .record import finite, record_of

MAX_BODY_BYTES = 32 * 1024
"""A longer Signal is kept as a record shows it: long texts and containers cut."""
MAX_TEXT_CHARS = 256 * 1024
"""Of the thoughts of one step the last so many characters are kept."""
MAX_TIMES = 500
"""The times of so many thoughts of a step are kept; of more, every second one goes."""
_STEP_BYTES = 200
_PIECE_BYTES = 64


class Step:
    """A Signal of a trace, kept as bytes.

    Attributes:
        v: The version of the trace at its last change.
        size_bytes: About what it holds in memory.
        count: How many Signals it stands for.
        is_dropped: Whether its trace has no room for it any more.
    """

    __slots__ = (
        "_body",
        "_caller",
        "_is_cut",
        "_worker",
        "is_dropped",
        "number",
        "size_bytes",
        "v",
    )

    count = 1

    def __init__(self, number: int, observed: ObservedSignal, v: int) -> None:
        body = observed.body
        self._is_cut = len(body) > MAX_BODY_BYTES
        if self._is_cut:
            body = _shortened(observed.signal)
        self.number = number
        self.v = v
        self.is_dropped = False
        self.size_bytes = len(body) + _STEP_BYTES
        self._body = body
        self._caller = observed.caller
        self._worker = observed.worker

    @property
    def signal(self) -> Signal:
        """The Signal, or the first one."""
        return Signal.decode(self._body)

    def record(self) -> dict[str, Any]:
        """Return it as a page gets it; docs/prism.md has the shape."""
        observed = ObservedSignal(self.signal, self._body, self._caller, self._worker)
        record = record_of(self.number, observed)
        record["v"] = self.v
        if self._is_cut:
            record["cut"] = True
        return record


class Thoughts(Step):
    """The THOUGHT_DELTAs of one task and kind that follow each other: a record that grows."""

    __slots__ = (
        "_at_ms",
        "_chars",
        "_every",
        "_last_number",
        "_last_ts",
        "_parts",
        "_ts",
        "count",
        "kind",
    )

    def __init__(self, number: int, observed: ObservedSignal, v: int) -> None:
        super().__init__(number, observed, v)
        signal = observed.signal
        self.kind = signal.payload.get("kind")
        self.count = 1
        self._ts = signal.ts
        self._parts = [str(signal.payload.get("delta", ""))]
        self._chars = len(self._parts[0])
        self._at_ms = [0]
        self._every = 1
        self._last_number = number
        self._last_ts = signal.ts

    def add(self, number: int, signal: Signal, v: int) -> int:
        """Add the next one; return by how many bytes it grew."""
        text = signal.payload.get("delta", "")
        if text.__class__ is not str:
            text = str(text)
        self.v = v
        self.count += 1
        self._last_number = number
        self._last_ts = signal.ts
        self._parts.append(text)
        self._chars += len(text)
        grew = len(text) + _PIECE_BYTES
        if self.count % self._every == 0:
            self._at_ms.append(_ms(signal.ts - self._ts))
            if len(self._at_ms) > MAX_TIMES:
                self._every *= 2
                self._at_ms = self._at_ms[::2]
        if self._chars > 2 * MAX_TEXT_CHARS:
            text = self._text()
            grew += len(text) - self._chars
            self._parts, self._chars, self._is_cut = [text], len(text), True
        self.size_bytes += grew
        return grew

    def _text(self) -> str:
        return "".join(self._parts)[-MAX_TEXT_CHARS:]

    def record(self) -> dict[str, Any]:
        """Return all of them as one record, with `run`."""
        record = super().record()
        payload = record["payload"]
        if isinstance(payload, dict):
            payload["delta"] = self._text()
        if self._chars > MAX_TEXT_CHARS:
            record["cut"] = True
        record["run"] = {
            "count": self.count,
            "last_n": self._last_number,
            "last_ts": finite(self._last_ts),
            "at": self._at_ms,
        }
        return record


def _ms(seconds: float) -> int:
    """Return whole milliseconds; the clock of a sender may jump, or be no number."""
    return int(seconds * 1000) if -1e8 < seconds < 1e8 else 0


def _shortened(signal: Signal) -> bytes:
    """Return a Signal with its long values cut; without them if it is too long all the same."""
    masking = Masking(shortens=True)
    payload, meta = masking.of(signal.payload), masking.of(signal.meta)
    body = attrs.evolve(signal, payload=payload, meta=meta).encode()
    if len(body) > 8 * MAX_BODY_BYTES:
        body = attrs.evolve(signal, payload={}, meta={}).encode()
    return body
