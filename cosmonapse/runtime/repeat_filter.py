"""A filter of `logging`: of a message that comes again and again most is counted.

The count is told by the same handlers, as a record of the same logger and level, at the end of the
window or when the handler is closed.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import threading
import time
import weakref
from collections.abc import Iterable

from .repeats import BURST, MAX_KINDS, WINDOW_S, Kind, Repeated, Repeats

_MAX_TEMPLATE = 500
_MAX_NEURON = 128
_MAX_TEXT = 2_000
_LEAST_WAIT_S = 0.01
_MARK = "_cosmonapse_told_by"
_filters: weakref.WeakSet[RepeatFilter] = weakref.WeakSet()


class RepeatFilter(logging.Filter):
    """Lets a message pass ten times a minute, and counts the rest.

    A message is a logger, a level, a template, the neuron and the class of the exception.

    The rest is one record more: its text, and `(repeated 57 times in 60 s)`; the number is in its
    attribute `repeated`, too. Add it to a handler, or to a logger that no child logs through.

    Args:
        names: The loggers that it is about, each with its children; by default those of this
            package. "" is for every logger.
        burst: How many of a message pass in a window.
        window_s: The length of the window in seconds.
        max_kinds: How many messages are known at a time; of more the oldest is told early.
    """

    def __init__(
        self,
        names: Iterable[str] = ("cosmonapse",),
        burst: int = BURST,
        window_s: float = WINDOW_S,
        max_kinds: int = MAX_KINDS,
    ) -> None:
        super().__init__()
        self._names = tuple(names)
        self._repeats = Repeats(burst, window_s, max_kinds)
        # Of this thread it may be taken again: a signal handler or a destructor may log meanwhile.
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None
        _filters.add(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to tell a record."""
        if getattr(record, _MARK, None) is self or not self._is_about(record.name):
            return True
        kind = _kind_of(record)
        now_s = time.monotonic()
        with self._lock:
            due = self._repeats.due(now_s)
            passes = self._repeats.passes(kind, now_s)
            needs_text = not passes and self._repeats.wants_text(kind)
            if needs_text:  # until it is known, and for a value that logs this while we ask it
                self._repeats.set_text(kind, _template_of(record) or "?")
            self._arm(now_s)
        if needs_text:
            text = _text_of(record)  # without the lock: a value of the user's makes it
            with self._lock:
                self._repeats.set_text(kind, text)
        self._tell(due)
        return passes

    def flush(self) -> None:
        """Tell every count now."""
        with self._lock:
            rest = self._repeats.rest(time.monotonic())
        self._tell(rest)

    def _is_about(self, name: str) -> bool:
        return any(not each or name == each or name.startswith(f"{each}.") for each in self._names)

    def _arm(self, now_s: float) -> None:
        """Let a thread tell what is due, in case that nothing more is said."""
        if self._timer is not None:
            return
        at_s = self._repeats.next_at_s()
        if at_s == math.inf:
            return
        self._timer = threading.Timer(max(_LEAST_WAIT_S, at_s - now_s), self._on_time)
        self._timer.daemon = True
        self._timer.name = "repeated messages"
        with contextlib.suppress(RuntimeError):  # the interpreter ends, or has no thread left
            self._timer.start()

    def _on_time(self) -> None:
        now_s = time.monotonic()
        with self._lock:
            self._timer = None
            due = self._repeats.due(now_s)
            self._arm(now_s)
        self._tell(due)

    def _tell(self, found: list[Repeated]) -> None:
        for each in found:
            record = _record_of(each)
            setattr(record, _MARK, self)
            logger = logging.getLogger(record.name)
            if self in logger.filters:
                logger.callHandlers(record)
                continue
            for handler in _handlers_of(logger):
                if self in handler.filters and record.levelno >= handler.level:
                    handler.handle(record)

    def _after_fork(self) -> None:
        """Go on in a child process, in which only the thread that forked lives."""
        self._lock = threading.RLock()
        self._timer = None


def _kind_of(record: logging.LogRecord) -> Kind:
    """Return what a record is a repetition of."""
    # Who raised, and what: an error of one Neuron must not be counted as that of another.
    neuron = str(getattr(record, "neuron", "-"))  # as `fields_of` says that there is none
    raised = record.exc_info[0] if record.exc_info else None
    about = f"{neuron[:_MAX_NEURON]} {'' if raised is None else raised.__qualname__}"
    return record.name, record.levelno, f"{about} {_template_of(record)}"


def _template_of(record: logging.LogRecord) -> str:
    template = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
    return template[:_MAX_TEMPLATE]


def _handlers_of(logger: logging.Logger | None) -> list[logging.Handler]:
    """Return the handlers that a record of a logger reaches."""
    found: list[logging.Handler] = []
    while logger is not None:
        found += logger.handlers
        logger = logger.parent if logger.propagate else None
    return found


def _text_of(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()[:_MAX_TEXT]
    except Exception:  # noqa: BLE001  # the arguments do not fit the template
        return str(record.msg)[:_MAX_TEXT]


def _record_of(repeated: Repeated) -> logging.LogRecord:
    name, level, _ = repeated.kind
    times = "once" if repeated.count == 1 else f"{repeated.count} times"
    record = logging.LogRecord(
        name,
        level,
        __file__,
        0,
        "%s (repeated %s in %.0f s)",
        (repeated.text, times, repeated.seconds),
        None,
    )
    record.repeated = repeated.count
    return record


def _after_fork() -> None:
    for each in list(_filters):
        each._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
