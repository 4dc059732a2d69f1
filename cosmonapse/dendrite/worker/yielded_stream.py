"""The texts that a generator yields in its thread, on their way to the loop.

A hop to the loop costs more than all else about a text. So a hop takes every text that is there,
and the thread waits for it only when much is on its way, and at the end.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections import deque
from collections.abc import Coroutine
from typing import Any

from .job import Job

_MAX_AHEAD = 256
"""How many texts a generator may be ahead of the loop."""


class YieldedStream:
    """Says the texts of one generator, in order. Its thread calls every method.

    Args:
        job: The job of the generator.
        loop: The loop of the job.
    """

    def __init__(self, job: Job, loop: asyncio.AbstractEventLoop) -> None:
        self._job = job
        self._loop = loop
        self._texts: deque[str] = deque()
        self._lock = threading.Lock()
        self._is_saying = False
        self._hop: concurrent.futures.Future[None] | None = None

    def add(self, text: str) -> None:
        """Say a text soon; wait while the generator is far ahead.

        Raises:
            CancelledError: The task has ended.
            SignalTooLarge: A text before this one is over the limit.
            UnencodableValue: A text before this one is not valid Unicode.
        """
        if self._job.settled:
            raise asyncio.CancelledError
        with self._lock:
            self._texts.append(text)
            must_hop = not self._is_saying
            self._is_saying = True
        if must_hop:
            self._wait()  # the hop before has ended
            self._hop = self._post(self._say())
        elif len(self._texts) > _MAX_AHEAD or (self._hop is not None and self._hop.done()):
            self._wait()  # one that failed ended in the middle

    def finish(self) -> None:
        """Return when every text was said.

        Raises:
            CancelledError: The task has ended.
            SignalTooLarge: A text is over the limit.
            UnencodableValue: A text is not valid Unicode.
        """
        self._wait()

    def _post(self, work: Coroutine[Any, Any, None]) -> concurrent.futures.Future[None]:
        """Run a coroutine on the loop until it ends, or the job does."""
        owned = self._job.owned(work)
        try:
            return asyncio.run_coroutine_threadsafe(owned, self._loop)
        except RuntimeError:  # the loop is closed: the thread has outlived the Dendrite
            owned.close()
            work.close()
            raise asyncio.CancelledError from None

    def _wait(self) -> None:
        if self._hop is not None:
            try:
                self._hop.result()
            except concurrent.futures.CancelledError:
                raise asyncio.CancelledError from None

    async def _say(self) -> None:
        """Say what is there, on the loop, until nothing is left."""
        job, texts = self._job, self._texts
        while True:
            while texts:
                text = texts.popleft()
                if not job.think_now(text):
                    await job.think(text, None)
            with self._lock:
                if not texts:
                    self._is_saying = False
                    return
