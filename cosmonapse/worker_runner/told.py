"""The lines that the runner prints. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .supervisor import Notice
from .watched_files import shown_names

_WAITING_EVERY_S = 9.0


def still_loading(targets: str, pid: int) -> str:
    """Return the line about a program whose import takes long."""
    return (
        f"process {pid} still loads {targets}: a module that serves by itself, as by serve(), "
        "never ends to load; put that below if __name__ == '__main__'"
    )


class NoticeTexts:
    """Makes a line for each notice.

    Args:
        namespace: The namespace that the processes are in.
        folder: The current directory; paths in it are shown relative to it.
    """

    def __init__(self, namespace: str, folder: str) -> None:
        self._namespace = namespace
        self._folder = folder
        self._ids: Sequence[str] = ()
        self._url = ""
        self._waited_at_s = -math.inf

    def names(self, paths: Sequence[str]) -> list[str]:
        """Return the paths as a person would write them."""
        return shown_names(paths, self._folder)

    def serves(self, ids: Sequence[str], url: str) -> None:
        """Record what the processes host, and where."""
        self._ids, self._url = ids, url

    def waiting(self, text: str, now_s: float) -> list[str]:
        """Return the line of a process that waits for the Synapse, once for all of them."""
        if now_s - self._waited_at_s < _WAITING_EVERY_S:
            return []
        self._waited_at_s = now_s
        return [text]

    def lines(self, notice: Notice) -> list[str]:
        """Return what to print for a notice."""
        pids = ", ".join(map(str, notice.pids))
        processes = f"process{'es' * (len(notice.pids) > 1)} {pids}"
        reason = notice.reason.replace(f"{self._folder}/", "")
        again = f"another attempt in {notice.seconds:g} s"
        texts = {
            "serving": f"serving {', '.join(self._ids)} at {self._url} in {self._namespace}: "
            f"{processes}",
            "reloaded": f"reloaded in {notice.seconds:.2f} s, {reason} changed: {processes}",
            "reload_failed": f"not reloaded, the old code goes on: {reason}",
            "start_failed": f"{reason}; {again}",
            "crashed": f"{processes} {reason}; another starts in {notice.seconds:g} s",
            "again": f"serving again: {processes}",
            "killed": f"{processes} did not end within its grace: it is killed",
            "gave_up": f"gave up: {reason}" if reason else "gave up after five crashes",
        }
        return [texts[notice.what]]
