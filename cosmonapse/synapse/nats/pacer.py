"""Hands large messages to nats-py a little at a time. Spec: docs/spec/14-nats.md, "Frames".

What is handed over cannot be passed any more. So no more than `STEP_BYTES` is, before nats-server
has read what was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Final

from .post import HandOver

STEP_BYTES: Final = 256 * 1024
"""Most bytes, besides one piece, that are handed over before nats-server has read them."""
_AGAIN_S = 0.05


class Pacer:
    """Hands over what waits, in turn.

    Args:
        flush: Returns when nats-server has read everything; False when the connection has ended.
    """

    def __init__(self, flush: Callable[[], Awaitable[bool]]) -> None:
        self._flush = flush
        self._waiting: dict[Hashable, HandOver] = {}
        self._is_waiting = asyncio.Event()

    def add(self, key: Hashable, hand_over: HandOver) -> None:
        """See `Post.pace`."""
        self._waiting.setdefault(key, hand_over)
        self._is_waiting.set()

    def forget_all(self) -> None:
        """Hand over nothing of what waits."""
        self._waiting.clear()

    def turn(self) -> None:
        """Hand over one step, of everything that waits in turn."""
        left = STEP_BYTES
        while self._waiting and left > 0:
            key = next(iter(self._waiting))
            hand_over = self._waiting.pop(key)
            # Half of the step at most: a second one is not kept waiting by the first.
            handed = hand_over(min(left, STEP_BYTES // 2))
            if handed:
                self._waiting[key] = hand_over
            left -= handed

    async def run(self) -> None:
        """Hand over whatever waits, until cancelled."""
        while True:
            await self._is_waiting.wait()
            if not self._waiting:
                self._is_waiting.clear()
                continue
            self.turn()
            if not await self._flush():
                await asyncio.sleep(_AGAIN_S)  # what waits is forgotten with the connection
