"""The two forms of a line of a log: text for people, an object of JSON for machines."""

from __future__ import annotations

import logging
import traceback
from typing import Any, Final

from ..runtime.printable import printable
from .log_fields import Budget, as_line, cut, cut_inside, plain, time_text
from .task_filter import NOTHING

_STANDARD: Final = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"})
_OWN: Final = frozenset({"ts", "level", "logger", "error", "stack"})
_TASK: Final = ("trace_id", "neuron", "otel_trace_id", "otel_span_id")


class JsonFormatter(logging.Formatter):
    """Makes of each record one object of JSON on one line, in ASCII.

    `ts` (RFC 3339, UTC), `level`, `logger`, `message`; of a task `trace_id` and `neuron`, if a
    `TaskFilter` is there; of an exception `error` with `type`, `message` and `traceback`; and what
    the call gave as `extra`. A text is cut at 16,384 characters, all of `extra` at 65,536. It
    raises nothing.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        start: dict[str, Any] = {
            "ts": time_text(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": message_of(record),
        }
        try:
            return as_line(start | self._more(record))
        except Exception as error:  # noqa: BLE001  # a value of the user, in `extra`
            return as_line({**start, "unreadable": type(error).__name__})

    def _more(self, record: logging.LogRecord) -> dict[str, Any]:
        """Return the fields that not every record has."""
        fields: dict[str, Any] = {}
        for name in _TASK:
            value = getattr(record, name, NOTHING)
            if value != NOTHING:
                fields[name] = cut(str(value))
        if record.exc_info and record.exc_info[0] is not None:
            fields["error"] = _error_of(record)
        if record.stack_info:
            fields["stack"] = cut_inside(record.stack_info)
        budget, left_out_count = Budget(), 0
        for name, value in vars(record).items():
            if name in _STANDARD or name in _TASK or name.startswith("_"):
                continue
            if budget.is_spent():
                left_out_count += 1
                continue
            shown = budget.take(cut(name))
            fields[f"{shown}_" if shown in _OWN else shown] = plain(value, budget)
        if left_out_count:
            fields["..."] = f"{left_out_count:,} more"
        return fields


class TextFormatter(logging.Formatter):
    """Makes of each record a line for people, with the task that it belongs to at its end.

    What could control a terminal is escaped. The lines of a traceback, and each further line of a
    message, are indented: nothing in a message looks like a record of its own.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of a record."""
        at = self.formatTime(record)
        task = " ".join(
            printable(str(value))
            for name in _TASK
            if (value := getattr(record, name, NOTHING)) != NOTHING
        )
        head, *more = message_of(record).split("\n")
        lines = [f"{at} {record.levelname} {record.name}: {head}{f' [{task}]' * bool(task)}", *more]
        if record.exc_info and record.exc_info[0] is not None:
            lines += _traceback_of(record).split("\n")
        if record.stack_info:
            lines += cut_inside(record.stack_info).split("\n")
        return "\n  ".join(printable(each) for each in lines)


def message_of(record: logging.LogRecord) -> str:
    """Return the message of a record, cut; where its arguments do not fit, say so."""
    try:
        return cut(record.getMessage())
    except Exception as error:  # noqa: BLE001  # a mistake in a call must not cost the record
        return cut(f"{record.msg!r} (its arguments do not fit: {type(error).__name__})")


def _error_of(record: logging.LogRecord) -> dict[str, str]:
    kind, error, _ = record.exc_info or (None, None, None)
    assert kind is not None
    try:
        text = str(error)
    except Exception:  # noqa: BLE001  # an exception of the user
        text = ""
    name = kind.__qualname__
    module = "" if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}."
    return {"type": f"{module}{name}", "message": cut(text), "traceback": _traceback_of(record)}


def _traceback_of(record: logging.LogRecord) -> str:
    try:
        return cut_inside("".join(traceback.format_exception(*record.exc_info)).rstrip("\n"))  # type: ignore[misc]
    except Exception as error:  # noqa: BLE001  # an exception of the user, in its `__str__`
        return f"(no traceback: {type(error).__name__})"
