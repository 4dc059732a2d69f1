"""Find out what answers in place of a proxy, and log it once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..loggers import logger_of
from ..sockets.endpoints import Endpoint
from .background import call_in_background
from .diagnosis import FailedAttempts
from .peek import what_answers
from .refusals import Answer

_LOG = logger_of(__name__)
AGAIN_S = 10.0
_SOON_S = 0.9
"""Where the two ends do not agree on keys, the right far end may come at any time."""


class StrangerReport:
    """The far ends of one socket that are none of ours.

    Args:
        record: Its `stranger` is set.
        expected: The type of the ZeroMQ socket that belongs there.
        is_keyed: True if it should have keys.
        on_answer: Receives each answer, and the address that gave it.
    """

    def __init__(
        self,
        record: FailedAttempts,
        expected: str,
        is_keyed: bool,
        on_answer: Callable[[Endpoint, Answer], None],
    ) -> None:
        self._record = record
        self._expected = expected
        self._is_keyed = is_keyed
        self._tell = on_answer
        self._next_s: dict[Endpoint, float] = {}
        self._logged: dict[Endpoint, str] = {}
        self._closed = False

    def look_at(self, address: Endpoint) -> None:
        """Ask what answers at `address`, at most every 10 s; with a fault of keys, every second."""
        now_s = asyncio.get_running_loop().time()
        if now_s < self._next_s.get(address, 0.0):
            return
        self._next_s = {at: next_s for at, next_s in self._next_s.items() if now_s < next_s}
        self._next_s[address] = now_s + AGAIN_S
        call_in_background(
            lambda: what_answers(address, self._expected, is_keyed=self._is_keyed),
            lambda answer: self._on_answer(address, answer),
        )

    def hurry(self) -> None:
        """Ask again at the next look: nobody was there meanwhile."""
        self._next_s.clear()

    def clear(self) -> None:
        """Log it again if it comes again: the right far end was there meanwhile."""
        self._next_s.clear()
        self._logged.clear()

    def close(self) -> None:
        """Log nothing any more."""
        self._closed = True

    def _on_answer(self, address: Endpoint, answer: Answer) -> None:
        if self._closed or not self._record.faults:
            return
        if answer.fault is not None:
            soon_s = asyncio.get_running_loop().time() + _SOON_S
            self._next_s[address] = min(self._next_s.get(address, 0.0), soon_s)
        self._record.stranger = answer.text or self._record.stranger
        # A refusal is logged by the client, with what to do about it.
        is_news = answer.text != self._logged.get(address)
        if answer.text and answer.fault is None and is_news:
            self._logged[address] = answer.text
            _LOG.warning(
                "%s answers at %s, where a proxy was expected; it is tried again until one does",
                answer.text,
                address,
            )
        self._tell(address, answer)
