"""Watches event loops from threads, and logs which task blocks one and where.

The loop cannot notice by itself while it is blocked, and afterwards nobody knows who did it. There
is one thread for each loop with Axons; it asks the loop five times a second whether it still turns,
so a task costs nothing.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
import weakref
from collections.abc import Callable

from ..raised import place_in

_LOG = logging.getLogger(__name__)
_EVERY_S = 0.2
_BLOCKED_S = 0.5
_STILL_S = 5.0
_STEP_S = 0.05
_QUIET_S = 60.0
_MAX_NAMES = 1000

_watches: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, LoopWatch] = (
    weakref.WeakKeyDictionary()
)


def watch_running_loop() -> Callable[[], None]:
    """Watch the running loop until the function that is returned has been called."""
    loop = asyncio.get_running_loop()
    watch = _watches.get(loop)
    if watch is None or not watch.hold():
        watch = _watches[loop] = LoopWatch(loop)
        watch.start()
    return watch.release


class LoopWatch:
    """Logs one warning for each time that a task blocks a loop, and one a minute for each task.

    Args:
        loop: The loop, which runs in the calling thread.
        every_s: The pause between two questions to the loop.
        blocked_s: A loop that has not answered after so long is blocked.
        still_s: The warning comes after so long, or earlier at the end of the block.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        every_s: float = _EVERY_S,
        blocked_s: float = _BLOCKED_S,
        still_s: float = _STILL_S,
    ) -> None:
        # The thread must not keep the loop alive: a loop that was dropped closes itself.
        self._loop = weakref.ref(loop)
        self._loop_thread = threading.get_ident()
        self._every_s = every_s
        self._blocked_s = blocked_s
        self._still_s = still_s
        self._holders = 1
        self._ended = threading.Event()
        self._quiet_until_s: dict[str, float] = {}

    def start(self) -> None:
        """Begin; `release` ends it."""
        threading.Thread(target=self._run, name="loop watch", daemon=True).start()

    def hold(self) -> bool:
        """Need it once more; return False if it has ended."""
        if self._ended.is_set():
            return False
        self._holders += 1
        return True

    def release(self) -> None:
        """Need it once less; nobody needs it any more at the last call."""
        self._holders -= 1
        if not self._holders:
            self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(self._every_s):
            asked_at_s = time.monotonic()
            answered = threading.Event()
            if not self._ask(answered):
                self._ended.set()
                return
            if not answered.wait(self._blocked_s):
                self._follow(answered, asked_at_s)

    def _ask(self, answered: threading.Event) -> bool:
        """Ask the loop to answer in its next turn; return False if it is closed."""
        loop = self._loop()
        try:
            if loop is not None:
                loop.call_soon_threadsafe(answered.set)
        except RuntimeError:
            return False
        return loop is not None

    def _follow(self, answered: threading.Event, asked_at_s: float) -> None:
        """Wait for the end of a block, and log it."""
        blocker = self._blocker()
        if blocker is None:  # nothing runs: the loop is paused, or the machine is
            answered.wait(self._still_s)
            return
        is_logged = False
        while not self._ended.is_set() and not answered.wait(_STEP_S):
            if not is_logged and time.monotonic() - asked_at_s >= self._still_s:
                is_logged = self._log(blocker, asked_at_s, "has blocked")
        if not is_logged:
            self._log(blocker, asked_at_s, "blocked")

    def _blocker(self) -> tuple[str, str] | None:
        """Return the name of the task that runs now, and where it is."""
        loop = self._loop()
        if loop is None or not loop.is_running():
            return None
        task = asyncio.current_task(loop)
        frame = sys._current_frames().get(self._loop_thread)
        if task is None or frame is None:
            return None
        return task.get_name(), place_in(frame)

    def _log(self, blocker: tuple[str, str], asked_at_s: float, verb: str) -> bool:
        (name, place), now_s = blocker, time.monotonic()
        if now_s >= self._quiet_until_s.get(name, now_s):
            if len(self._quiet_until_s) >= _MAX_NAMES:
                self._quiet_until_s.clear()
            self._quiet_until_s[name] = now_s + _QUIET_S
            _LOG.warning(
                "%s %s the event loop for %.1f s at %s: nothing else of this process moved "
                "meanwhile, its heartbeats included; make the function a plain `def`, which runs "
                "in a thread, or call the slow part with `await asyncio.to_thread(...)`",
                name,
                verb,
                now_s - asked_at_s,
                place,
            )
        return True
