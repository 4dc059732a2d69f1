"""What Prism tells, put together: whether it is one story. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

_REMEMBERED = 20_000
_ENDS = frozenset({"AGENT_OUTPUT", "FINAL", "ERROR"})


class Wrong(NamedTuple):
    """Something that a page must not see.

    Args:
        text: What.
        code: Of the ERROR that ended a task which had an output too; empty for anything else.
    """

    text: str
    code: str = ""


class Story:
    """Reads the events of one page.

    Attributes:
        counts: How many Signals were shown; how many Prism said it had missed (`missed`); how many
            ends of tasks were shown whose TASK was not (`without_task`).
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter(signals=0, missed=0, without_task=0)
        self._run: str | None = None
        self._last: int | None = None
        self._ids: dict[str, None] = {}
        self._tasks: dict[str, None] = {}
        self._ends: dict[str, str] = {}

    def told(self, name: str, data: Any) -> Iterator[Wrong]:
        """Take an event; yield what is wrong with it."""
        if name == "hello":
            if self._run not in (None, data["run"]):
                yield Wrong(f"another run of Prism: {data['run']} after {self._run}")
            self._run = data["run"]
        elif name == "missed":
            self.counts["missed"] += data["count"]
            self._last = None
        elif name == "signals":
            for record in data:
                yield from self._signal(record)
        elif name == "displaced":
            yield Wrong("the page was displaced")

    def _signal(self, record: dict[str, Any]) -> Iterator[Wrong]:
        self.counts["signals"] += 1
        number, before = record["n"], self._last
        self._last = number
        if before is not None and number != before + 1:
            yield Wrong(f"number {number} after {before}")
        if record["id"] in self._ids:
            yield Wrong(f"{record['type']} {record['id']} is shown twice")
        _remember(self._ids, record["id"], None)
        if record["type"] == "TASK":
            _remember(self._tasks, record["id"], None)
        elif record["type"] in _ENDS and (task := record["parent_id"]):
            if task not in self._tasks:
                self.counts["without_task"] += 1
            code = record["payload"].get("code", "") if record["type"] == "ERROR" else ""
            end = " ".join(filter(None, [record["type"], code]))
            if task in self._ends:
                yield Wrong(f"{task} ended twice: {self._ends[task]} and {end}", code)
            _remember(self._ends, task, end)


def _remember(known: dict[str, Any], key: str, value: Any) -> None:
    """Keep the latest of them: a run of an hour must not make its reader grow."""
    known[key] = value
    if len(known) > _REMEMBERED:
        del known[next(iter(known))]
