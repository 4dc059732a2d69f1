"""Tell when this process has taken more memory, so that its cause is looked for at once."""

from __future__ import annotations

import os
from typing import Final

_FILE: Final = "/proc/self/statm"


class MemoryMonitor:
    """The memory of this process. Where the system does not tell, it never grows.

    Args:
        step_bytes: How much more is worth a look.

    Attributes:
        has_grown: True in the two looks that follow each such step.
    """

    def __init__(self, step_bytes: int) -> None:
        self._step_bytes = step_bytes
        self._page_bytes = os.sysconf("SC_PAGESIZE")
        self._looks_left = 0
        self.has_grown = False
        try:
            self._descriptor = os.open(_FILE, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._descriptor = -1
        self._base_bytes = self._bytes()

    def look(self) -> None:
        """Update `has_grown`; call it in every tick."""
        now_bytes = self._bytes()
        if now_bytes > self._base_bytes + self._step_bytes:
            self._base_bytes = now_bytes
            self._looks_left = 2
        self._base_bytes = min(self._base_bytes, now_bytes)
        self.has_grown = self._looks_left > 0
        self._looks_left = max(0, self._looks_left - 1)

    def _bytes(self) -> int:
        if self._descriptor < 0:
            return 0
        return int(os.pread(self._descriptor, 128, 0).split()[1]) * self._page_bytes

    def close(self) -> None:
        """Release its descriptor. Idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
