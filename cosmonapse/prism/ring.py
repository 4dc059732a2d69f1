"""The last Signals, numbered, within bounds of count and bytes. Pure.

They are kept as bytes, as received: a tenth of the memory of decoded values, and of known size.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import NamedTuple

from ..doppler.observed import ObservedSignal
from ..signals import Signal

MOST_SIGNALS = 10_000
MOST_BYTES = 64 * 1024 * 1024


class Kept(NamedTuple):
    """One Signal of the ring, not decoded; see `ObservedSignal`."""

    number: int
    body: bytes
    caller: bytes
    worker: bytes
    at_ts: float = 0.0

    def decoded(self) -> ObservedSignal:
        """Return the Signal as it was observed."""
        return ObservedSignal(Signal.decode(self.body), self.body, self.caller, self.worker)


class Ring:
    """Keeps the newest Signals and drops the oldest.

    Args:
        first: The number of the first Signal; every later one has the next.
        most: Most Signals.
        most_bytes: Most bytes of all together.

    Attributes:
        last: The number of the newest Signal, `first - 1` before there is one.
        evicted: How many were dropped so far.
    """

    def __init__(self, first: int, most: int = MOST_SIGNALS, most_bytes: int = MOST_BYTES) -> None:
        self.last = first - 1
        self.evicted = 0
        self._kept: deque[Kept] = deque()
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0

    def __len__(self) -> int:
        """Return how many Signals are kept."""
        return len(self._kept)

    @property
    def first(self) -> int:
        """The number of the oldest Signal that is kept; `last + 1` if none is."""
        return self.last + 1 - len(self._kept)

    @property
    def size_bytes(self) -> int:
        """The bytes of all that are kept."""
        return self._bytes

    def add(self, observed: ObservedSignal, at_ts: float = 0.0) -> int:
        """Keep a Signal and return its number; one larger than the ring is not kept.

        Args:
            observed: The Signal.
            at_ts: When it came, wall clock.
        """
        self.last = number = self.last + 1
        self._kept.append(Kept(number, observed.body, observed.caller, observed.worker, at_ts))
        self._bytes += len(observed.body)
        while len(self._kept) > self._most or self._bytes > self._most_bytes:
            self._bytes -= len(self._kept.popleft().body)
            self.evicted += 1
        return number

    def get(self, number: int) -> Kept | None:
        """Return a Signal by its number; None if it is dropped, or not there yet."""
        if not self.first <= number <= self.last:
            return None
        return self._kept[number - self.first]

    def after(self, number: int, most: int) -> list[Kept]:
        """Return up to `most` of those after a number, the oldest first."""
        begin = max(0, number + 1 - self.first)
        return list(islice(self._kept, begin, begin + most))
