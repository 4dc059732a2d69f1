"""A reader of a Pathway, one Signal at a time with a look ahead. On the loop of the Dendrite."""

from __future__ import annotations

import asyncio
from collections import deque

from ..dendrite.caller.pathway import Pathway
from ..dendrite.caller.signal_buffer import Cursor
from ..errors import DendriteProtocolError
from ..signals import QUESTIONS, Signal, SignalType

_MAY_REFUSE = (SignalType.ERROR, *QUESTIONS)
_SETTLING = (SignalType.AGENT_OUTPUT, SignalType.FINAL, *_MAY_REFUSE)


class SignalReader:
    """One reader of a Pathway, to be used by one task at a time.

    Attributes:
        pathway: The Pathway it reads.
        reply: The Signal that settled the task, when `take` has returned the end; else None.
        is_closed: True once `close` was called: an ERROR after that says no more than this.
        missed: How many Signals were dropped before the one that was taken last: its client is
            slow.
        missed_now: How many of them lie between that Signal and the one taken before it.
    """

    def __init__(self, pathway: Pathway) -> None:
        self.pathway = pathway
        self.reply: Signal | None = None
        self.is_closed = False
        self.missed = 0
        self.missed_now = 0
        self._ahead: deque[tuple[Signal | None, int]] = deque()  # None is the end; with `missed`
        self._last: Signal | None = None
        self._cursor: Cursor | None = None

    async def wait(self, timeout_s: float | None = None) -> bool:
        """Return True as soon as something is ahead, False after `timeout_s` seconds."""
        return self.is_ahead or await self._fetch(timeout_s)

    @property
    def is_ahead(self) -> bool:
        """Whether a Signal, or the end, was read and not taken."""
        return bool(self._ahead)

    @property
    def is_ready(self) -> bool:
        """Whether `take` returns at once: what has arrived is looked at, and nothing is waited for.

        A stream that takes all of it before it writes wakes up once for many Signals.
        """
        return self.is_ahead or self._look()

    async def yield_to_others(self) -> None:
        """Let the other tasks of the loop run, unless so much waits that some may be dropped."""
        if self._cursor is None or not self._cursor.is_far_behind:
            await asyncio.sleep(0)

    async def next(self) -> Signal | None:
        """Return the next Signal, or None at the end; raises as `take` does."""
        await self.wait()
        return self.take()

    def take(self) -> Signal | None:
        """Return the Signal that is ahead, or None at the end.

        Raises:
            DendriteProtocolError: The end came before the task was settled.
        """
        signal, missed = self._ahead.popleft()
        self.missed_now, self.missed = missed - self.missed, missed
        if signal is None:
            if self._last is None or self._last.type not in _SETTLING:
                raise DendriteProtocolError("this Dendrite was stopped while the task ran")
            self.reply = self._last
        self._last = signal
        return signal

    async def refusal(self, timeout_s: float) -> Signal | None:
        """Return the ERROR or the question that is the only Signal of the task, if it comes soon.

        It removes no Signal from the stream.

        Args:
            timeout_s: How long to wait for the Signal, and again for the end after it.
        """
        if not await self.wait(timeout_s):
            return None
        first, _ = self._ahead[0]
        if first is None or first.type not in _MAY_REFUSE:
            return None
        over = len(self._ahead) > 1 or await self._fetch(timeout_s)
        return first if over and self._ahead[1][0] is None else None

    async def close(self) -> None:
        """Close the Pathway, which cancels its task if that still runs; a wait finds the end."""
        self.is_closed = True
        await self.pathway.close()
        if self._cursor is not None:
            self._cursor.leave()

    async def _fetch(self, timeout_s: float | None) -> bool:
        if self._look():
            return True
        try:
            async with asyncio.timeout(timeout_s):
                self._put(await self.pathway.next_of(self._position()))
        except TimeoutError:
            return False
        return True

    def _look(self) -> bool:
        """Move the next Signal that has arrived, or the end, ahead; return whether it has."""
        signal = self._position().next()
        if signal is None and not self.pathway.closed:
            return False
        self._put(signal)
        return True

    def _put(self, signal: Signal | None) -> None:
        self._ahead.append((signal, self._position().missed))

    def _position(self) -> Cursor:
        # Made by the first wait: one that nobody reads could answer no question.
        if self._cursor is None:
            self._cursor = self.pathway.cursor()
        return self._cursor
