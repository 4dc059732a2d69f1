"""The log of the Synapse: one line for each Signal, written by a separate thread.

A blocked terminal (Ctrl-S, a full pipe) must never stop the Synapse: lines that do not fit into the
queue are counted, and the count is shown when the terminal accepts output again.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from datetime import datetime
from typing import TextIO

from ..runtime.printable import printable
from ..synapse.peers import RoleNotice
from ..synapse.server import Sighting
from ..telemetry.log_fields import as_line, time_text
from .std_streams import complain

_QUEUE_LIMIT = 10_000
_WAKE_S = 0.05
_SIGNALS = "cosmonapse.cli.signals"
_ROLES = "cosmonapse.cli.roles"


def line_of(at_s: float, seen: Sighting) -> str:
    """Return the line of one Signal."""
    clock = _clock(at_s)
    columns = (
        f"{clock}  {seen.what:<20} {seen.trace:<8}  {printable(seen.where):<24} "
        f"{seen.size_bytes:>9,} B  {seen.namespace}"
    )
    return columns.rstrip()


def role_line_of(at_s: float, notice: RoleNotice) -> str:
    """Return the line of a change among the Synapses of a fabric."""
    label = "WARNING" if notice.is_warning else "ROLE"
    return f"{_clock(at_s)}  {label:<20} {printable(notice.text)}"


def object_of(at_s: float, told: Sighting | RoleNotice) -> str:
    """Return the same as an object of JSON, in the form of every log line."""
    start = {"ts": time_text(at_s), "level": "INFO"}
    if isinstance(told, RoleNotice):
        level = "WARNING" if told.is_warning else "INFO"
        return as_line(start | {"level": level, "logger": _ROLES, "message": told.text})
    fields = {
        "logger": _SIGNALS,
        "message": f"{told.what} {told.where}".rstrip(),
        "trace_id": told.trace_id,
        "signal": told.what,
        "where": told.where,
        "namespace": told.namespace,
    }
    given = {name: value for name, value in fields.items() if value}
    return as_line(start | given | {"size_bytes": told.size_bytes})


def _missed_object(missed: int) -> str:
    start = {"ts": time_text(time.time()), "level": "WARNING", "logger": _SIGNALS}
    text = "Signals are not shown: whoever reads stdout is too slow"
    return as_line({**start, "message": text, "missed": missed})


def _clock(at_s: float) -> str:
    return datetime.fromtimestamp(at_s).astimezone().strftime("%H:%M:%S.%f")[:-3]


class SignalLog:
    """Accepts sightings without blocking and prints them as the terminal allows.

    Args:
        as_json: Whether a line is an object of JSON.
    """

    def __init__(self, as_json: bool = False) -> None:
        self._line_of = object_of if as_json else _line
        self._as_json = as_json
        self._queue: deque[tuple[float, Sighting | RoleNotice]] = deque()
        self._missed = 0
        self._out = own_stdout()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._write, name="signal log", daemon=True)
        self._thread.start()

    def note(self, seen: Sighting) -> None:
        """Record one sighting; called by the thread of the Synapse."""
        if len(self._queue) < _QUEUE_LIMIT:
            self._queue.append((time.time(), seen))
        else:
            self._missed += 1

    def tell(self, notice: RoleNotice) -> None:
        """Record a change among the Synapses of the fabric; called by the same thread."""
        self._queue.append((time.time(), notice))  # there are few of them

    def close(self) -> None:
        """Print the queue, as far as the terminal accepts it within a second."""
        self._closing.set()
        self._thread.join(1.0)

    def _write(self) -> None:
        try:
            while not self._closing.wait(_WAKE_S):
                self._flush()
            self._flush()
        except BrokenPipeError:
            pass  # the reader is gone
        except (OSError, ValueError) as error:
            complain(f"the log of Signals has ended, the Synapse runs on: {printable(str(error))}")

    def _flush(self) -> None:
        lines = [self._line_of(*self._queue.popleft()) for _ in range(len(self._queue))]
        missed, self._missed = self._missed, 0
        if missed:
            text = f"({missed:,} Signals not shown: this terminal is too slow)"
            lines.append(_missed_object(missed) if self._as_json else text)
        if lines:
            self._out.write("\n".join(lines) + "\n")
            self._out.flush()


def _line(at_s: float, seen: Sighting | RoleNotice) -> str:
    return role_line_of(at_s, seen) if isinstance(seen, RoleNotice) else line_of(at_s, seen)


def own_stdout() -> TextIO:
    """Return a separate stdout: the interpreter flushes its own at exit, and would block."""
    try:
        return os.fdopen(
            os.dup(sys.stdout.fileno()),
            "w",
            encoding=sys.stdout.encoding,
            errors="backslashreplace",  # for a terminal limited to ASCII
        )
    except (OSError, ValueError):  # stdout is not a file, as under a test
        return sys.stdout
