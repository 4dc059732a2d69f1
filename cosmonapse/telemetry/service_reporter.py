"""Reports to the service manager: ready, its watchdog, and a line of state. From a thread.

A loop that is blocked must not say that all is well, and cannot say that it is not: so a thread
asks it, and is silent towards the watchdog while it does not turn.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ..runtime.sd_notify import ServiceManager, status_line
from .liveness import STALLED_S, Judgement

_STATUS_S = 5.0
_FIRST_S = 0.05
_PER_WATCHDOG = 3
_LEAST_STALLED_S = 0.4


class ServiceReporter:
    """Reports how a process is, until it is closed.

    Args:
        manager: Whom to tell; None: nobody is there, and nothing happens.
        judge: Judges the loop, given after how many seconds without a turn it counts as dead; safe
            from every thread.
        status: Returns a line about the work of the process; safe from every thread.
        when_ok: Whether the process is ready as soon as `judge` says yes; else `ready` says so.
    """

    def __init__(
        self,
        manager: ServiceManager | None,
        judge: Callable[[float], Judgement],
        status: Callable[[], str],
        *,
        when_ok: bool = False,
    ) -> None:
        self._manager = manager
        self._judge = judge
        self._status = status
        self._awaits_ok = when_ok
        self._told = ""
        self._ended = threading.Event()
        watchdog_s = self._watchdog_s = None if manager is None else manager.watchdog_s
        self._every_s = _STATUS_S if watchdog_s is None else watchdog_s / _PER_WATCHDOG
        self._every_s = min(self._every_s, _STATUS_S)
        half_s = STALLED_S if watchdog_s is None else watchdog_s / 2
        self.stalled_s = min(STALLED_S, max(_LEAST_STALLED_S, half_s))
        self._thread = threading.Thread(target=self._run, name="service manager", daemon=True)

    def start(self) -> None:
        """Begin."""
        if self._manager is not None:
            self._thread.start()

    def ready(self) -> None:
        """Say that the process does its work, for the first time or again."""
        self._tell("READY=1", self._state())

    def reloading(self, text: str) -> None:
        """Say that the process loads something anew; `ready` ends that."""
        now_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._tell("RELOADING=1", f"MONOTONIC_USEC={now_us}", status_line(text))

    def stopping(self, text: str) -> None:
        """Say that the process ends."""
        self._tell("STOPPING=1", status_line(text))

    def close(self) -> None:
        """Report nothing more."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(_FIRST_S if self._awaits_ok else self._every_s):
            judgement = self._judge(self.stalled_s)
            if not judgement.ok:
                if not self._awaits_ok:
                    self._tell_state(judgement.why)
                continue
            lines = []
            if self._awaits_ok:
                self._awaits_ok = False
                lines.append("READY=1")
            if self._watchdog_s is not None:
                lines.append("WATCHDOG=1")
            self._tell_state(self._status(), *lines)

    def _tell_state(self, text: str, *lines: str) -> None:
        """Send lines, and the line of state if it has changed."""
        if text != self._told:
            self._told = text
            lines = (*lines, status_line(text))
        if lines:
            self._tell(*lines)

    def _tell(self, *lines: str) -> None:
        if self._manager is not None:
            self._manager.tell(*lines)

    def _state(self) -> str:
        self._told = self._status()
        return status_line(self._told)
