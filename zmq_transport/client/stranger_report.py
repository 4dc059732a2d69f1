"""Find out what answers in place of a proxy, and log it once."""

from __future__ import annotations

import asyncio
import logging

from ..sockets.endpoints import Endpoint
from .background import call_in_background
from .diagnosis import FailedAttempts
from .peek import what_answers

_LOG = logging.getLogger(__name__)
AGAIN_S = 10.0


class StrangerReport:
    """The far ends of one socket that are none of ours.

    Args:
        record: Its `stranger` is set.
        expected: The type of the ZeroMQ socket that belongs there.
    """

    def __init__(self, record: FailedAttempts, expected: str) -> None:
        self._record = record
        self._expected = expected
        self._next_s = 0.0
        self._logged = ""
        self._closed = False

    def look_at(self, address: Endpoint) -> None:
        """Ask what answers at `address`, at most every 10 s."""
        now_s = asyncio.get_running_loop().time()
        if now_s < self._next_s:
            return
        self._next_s = now_s + AGAIN_S
        call_in_background(
            lambda: what_answers(address, self._expected),
            lambda found: self._on_answer(address, found),
        )

    def clear(self) -> None:
        """Log it again if it comes again: the right far end was there meanwhile."""
        self._next_s = 0.0
        self._logged = ""

    def close(self) -> None:
        """Log nothing any more."""
        self._closed = True

    def _on_answer(self, address: Endpoint, found: str) -> None:
        if self._closed or not found or not self._record.faults:
            return
        self._record.stranger = found
        if found != self._logged:
            self._logged = found
            _LOG.warning(
                "%s answers at %s, where a proxy was expected; it is tried again until one does",
                found,
                address,
            )
