"""The logs of a service: text or JSON, each line with its task, no flood. Page: docs/logs.md.

`logging.getLogger("cosmonapse")` is above every logger of this package, its connections included.
A service that has a configuration of its own adds `TaskFilter` and `RepeatFilter` to its handlers;
one that has none calls `configure`.
"""

from __future__ import annotations

import logging
import sys
import threading
from types import TracebackType
from typing import Final, TextIO

from .configuration import chosen_for_process
from .runtime import uncaught
from .runtime.environment import TRACEBACK_VARIABLE, value_of
from .runtime.log_fallback import PACKAGE
from .runtime.repeat_filter import RepeatFilter as RepeatFilter
from .telemetry.log_lines import JsonFormatter as JsonFormatter
from .telemetry.log_lines import TextFormatter as TextFormatter
from .telemetry.task_filter import TaskFilter as TaskFilter

__all__ = ["FORMATS", "JsonFormatter", "RepeatFilter", "TaskFilter", "TextFormatter", "configure"]

FORMATS: Final = ("text", "json")
_UNCAUGHT = logging.getLogger(f"{PACKAGE}.uncaught")


class _Handler(logging.Handler):
    """Writes each record as one line, and ends with the stream that it writes to."""

    def __init__(self, stream: TextIO | None, formatter: logging.Formatter) -> None:
        super().__init__()
        self._stream = stream
        self._repeats = RepeatFilter()
        self.setFormatter(formatter)
        self.addFilter(TaskFilter())
        self.addFilter(self._repeats)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, as far as the stream takes it: a log ends no program."""
        stream = self._stream or sys.stderr
        if stream is None:
            return
        try:
            stream.write(f"{self.format(record)}\n")
            stream.flush()
        except (OSError, ValueError):
            pass  # its reader is gone, or it is closed: there is nobody to tell

    def close(self) -> None:
        """Tell what was counted, and end."""
        self._repeats.flush()
        super().close()


def configure(
    *,
    format: str | None = None,  # the word that everybody uses
    level: int | str = logging.INFO,
    library_level: int | str = logging.WARNING,
    stream: TextIO | None = None,
) -> logging.Handler:
    """Log everything of this process in one form; each line says which task it belongs to.

    One handler on the root logger writes what your functions log, what this package does, and what
    Python warns about. With `json` an uncaught exception is such a line, too. Called again, it
    takes the place of what it did before; handlers of others stay.

    Args:
        format: `text` or `json`; by default the variable COSMO_LOG_FORMAT, else `text`.
        level: The level of the root logger.
        library_level: That of the logger `cosmonapse`, which is above all of this package.
        stream: Where to; by default stderr as it is at each line.

    Returns:
        The handler, for whoever wants to change it.

    Raises:
        ValueError: There is no such format or level.
    """
    named = checked_format(chosen_for_process("log_format", format).value or FORMATS[0])
    root, library = logging.getLogger(), logging.getLogger(PACKAGE)
    handler = _Handler(stream, JsonFormatter() if named == "json" else TextFormatter())
    root.setLevel(level)
    library.setLevel(library_level)
    for each in [each for each in root.handlers if isinstance(each, _Handler)]:
        each.close()
        root.removeHandler(each)
    root.addHandler(handler)
    logging.captureWarnings(True)
    if named == "json":
        _log_uncaught()
    return handler


def checked_format(name: str) -> str:
    """Return the name of a format.

    Raises:
        ValueError: There is none of that name.
    """
    if name not in FORMATS:
        raise ValueError(f"the format of logs must be 'text' or 'json', not {name!r:.100}")
    return name


def _log_uncaught() -> None:
    """Make a line of what ends the program or a thread, unless somebody else does already."""
    if sys.excepthook is sys.__excepthook__ or sys.excepthook.__module__ == uncaught.__name__:
        sys.excepthook = _on_uncaught
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _on_uncaught_in_thread


def _on_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    elif isinstance(error, uncaught.MISTAKES) and not value_of(TRACEBACK_VARIABLE):
        _UNCAUGHT.critical("%s: %s", kind.__name__, error)
    else:
        _UNCAUGHT.critical("the program ends: %s", kind.__name__, exc_info=(kind, error, trace))


def _on_uncaught_in_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_type is SystemExit or ended.exc_value is None:
        return
    name = "?" if ended.thread is None else ended.thread.name
    trace = (ended.exc_type, ended.exc_value, ended.exc_traceback)
    _UNCAUGHT.error("the thread %s ends: %s", name, ended.exc_type.__name__, exc_info=trace)
