"""The lines that the runner prints. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from .supervisor import Notice
from .watched_files import shown_names

_WAITING_EVERY_S = 9.0
_INFO, _WARNING, _ERROR = 20, 30, 40  # as in `logging`, which a pure module does not import
_LEVELS = {
    **dict.fromkeys(("reload_failed", "start_failed", "crashed", "killed", "waiting"), _WARNING),
    "loading": _WARNING,
    **dict.fromkeys(("held", "gave_up"), _ERROR),
}


class NoticeTexts:
    """Makes a line of each notice.

    Args:
        namespace: The namespace that the processes are in.
        folder: The current directory; paths in it are shown relative to it.
        as_json: Whether a line is an object of JSON.
    """

    def __init__(self, namespace: str, folder: str, as_json: bool = False) -> None:
        self._namespace = namespace
        self._folder = folder
        self._as_json = as_json
        self._ids: Sequence[str] = ()
        self._url = ""
        self._waited_at_s = -math.inf

    def names(self, paths: Sequence[str]) -> list[str]:
        """Return the paths as a person would write them."""
        return shown_names(paths, self._folder)

    def serves(self, ids: Sequence[str], url: str) -> None:
        """Record what the processes host, and where."""
        self._ids, self._url = ids, url

    def may_tell_waiting(self, now_s: float) -> bool:
        """Return whether a process says now that it waits; one of all processes is enough."""
        if now_s - self._waited_at_s < _WAITING_EVERY_S:
            return False
        self._waited_at_s = now_s
        return True

    def line(self, notice: Notice) -> str:
        """Return what to print for a notice: one line, and the traceback below if it has one."""
        if self._as_json:
            trace = {"traceback": notice.trace} if notice.trace else {}
            return json.dumps({**self.facts(notice), **trace})
        text = self._text(notice, self._short(notice.reason).replace("\n", "\\n"))
        return f"{text}\n{notice.trace}" if notice.trace else text

    def level(self, notice: Notice) -> int:
        """Return the level of a notice in a log: 20 for INFO, 30 for WARNING, 40 for ERROR."""
        return _LEVELS.get(notice.what, _INFO)

    def facts(self, notice: Notice) -> dict[str, object]:
        """Return a notice as the fields of an object."""
        reason = self._short(notice.reason)
        facts: dict[str, object] = {"event": notice.what, "pids": notice.pids}
        if reason:
            facts["reason"] = reason
        if notice.seconds:
            facts["seconds"] = round(notice.seconds, 3)
        if notice.what in ("serving", "reloaded"):
            facts |= {"ids": self._ids, "url": self._url, "namespace": self._namespace}
        return facts

    def _short(self, reason: str) -> str:
        return reason.replace(f"{self._folder}/", "")

    def _text(self, notice: Notice, reason: str) -> str:
        pids = ", ".join(map(str, notice.pids))
        processes = f"process{'es' * (len(notice.pids) > 1)} {pids}"
        ids = ", ".join(self._ids)
        again = f"{notice.seconds:g} s"
        texts = {
            "serving": f"serving {ids} at {self._url} in {self._namespace}: {processes}",
            "reloaded": f"reloaded in {notice.seconds:.2f} s, {reason} changed: {processes}",
            "reload_failed": f"not reloaded, the old code goes on: {reason}",
            "start_failed": f"{reason}; another attempt in {again}",
            "crashed": f"{processes} {reason}; another starts in {again}",
            "again": f"serving again: {processes}",
            "killed": f"{processes} did not end within its grace: it is killed",
            "held": f"{reason or 'it crashed five times'}; waits for the next save",
            "gave_up": f"gave up: {reason}" if reason else "gave up after five crashes",
            "waiting": reason,
            "loading": f"{processes} still loads {reason}: a module that serves by itself, as by "
            "serve(), never ends to load; put that below if __name__ == '__main__'",
        }
        return texts[notice.what]
