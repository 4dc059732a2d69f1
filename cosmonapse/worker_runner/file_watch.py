"""Waits until files of the program change.

Their modification times decide. watchfiles, where it is installed, says when to look at them, and
without it that is every 0.3 s.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from .watched_files import Signature, changed

_POLL_S = 0.3
_SAFETY_S = 2.0  # what watchfiles has missed, as before it was ready, shows then
_SETTLE_S = 0.05
_MAX_SETTLE_S = 1.0
_STEP_MS = 50


class FileWatch:
    """Watches the files of a program.

    Args:
        folders: Where they are, with all folders below.
        polls: Whether to look at intervals even where watchfiles is installed.
    """

    def __init__(self, folders: Sequence[str], polls: bool = False) -> None:
        self._folders = folders
        self._seen: dict[str, Signature] = {}
        self._woken = asyncio.Event()
        self._end = threading.Event()
        self._notifies = not polls and find_spec("watchfiles") is not None

    def add(self, paths: Iterable[str], since_ns: int) -> None:
        """Watch more files; one need not be there yet.

        Args:
            paths: The files.
            since_ns: The wall clock before they were read: one that is newer counts as changed.
        """
        for path in paths:
            if path not in self._seen:
                found = _signature(path)
                self._seen[path] = None if found is not None and found[0] > since_ns else found

    async def changes(self) -> list[str]:
        """Return the paths of those that have changed, when they no longer do."""
        while True:
            await self._next_look()
            names = set(self._look())
            if names:
                return await self._settled(names)

    async def _settled(self, names: set[str]) -> list[str]:
        """Wait while changes follow each other: an editor may write a file in steps."""
        until_s = asyncio.get_running_loop().time() + _MAX_SETTLE_S
        while asyncio.get_running_loop().time() < until_s:
            await asyncio.sleep(_SETTLE_S)
            more = self._look()
            if not more:
                break
            names.update(more)
        return sorted(names)

    def _look(self) -> list[str]:
        now = {path: _signature(path) for path in self._seen}
        names = changed(self._seen, now)
        for path, signature in now.items():
            if signature is not None:
                self._seen[path] = signature
        return names

    async def _next_look(self) -> None:
        if not self._notifies:
            await asyncio.sleep(_POLL_S)
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), _SAFETY_S)
        self._woken.clear()

    def start(self) -> None:
        """Let watchfiles, if it is used, say when to look."""
        if self._notifies:
            loop = asyncio.get_running_loop()
            arguments = (import_module("watchfiles"), loop)
            threading.Thread(
                target=self._notify, args=arguments, name="watchfiles", daemon=True
            ).start()

    def _notify(self, watchfiles: Any, loop: asyncio.AbstractEventLoop) -> None:
        options = {"step": _STEP_MS, "stop_event": self._end, "watch_filter": None}
        with contextlib.suppress(RuntimeError):  # the loop is closed
            for _ in watchfiles.watch(*self._folders, **options):
                loop.call_soon_threadsafe(self._woken.set)

    def stop(self) -> None:
        """End the thread of watchfiles."""
        self._end.set()


def _signature(path: str) -> Signature:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
