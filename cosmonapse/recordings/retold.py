"""A recording told again, as Doppler shows a namespace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from ..doppler.durations import TaskDurations
from ..doppler.observed import ObservedSignal
from ..doppler.printing import Printing
from ..doppler.signal_filter import Choose
from .lines import Heard, Missed
from .recorded_file import RecordedFile, faults_of

_AT_ONCE = 500


def retell(
    file: RecordedFile,
    choose: Choose,
    out: TextIO,
    printing: Printing,
    since_ts: float | None = None,
) -> int:
    """Print the Signals of a recording; return how many were printed.

    Args:
        file: The recording.
        choose: Returns what to print at a Signal.
        out: The output; it is flushed at the end.
        printing: How it is printed.
        since_ts: Earlier Signals are not printed; None: all of them.

    Raises:
        OSError: The file cannot be read, or the output not written.
    """
    shown = 0
    batch: list[ObservedSignal] = []

    def flush() -> None:
        if batch:
            out.write(printing.render(batch))
            batch.clear()

    for item in _told(file, choose, since_ts or 0.0):
        if isinstance(item, str):
            flush()
            printing.tell(out, item)
            continue
        shown += 1
        batch.append(item)
        if len(batch) >= _AT_ONCE:
            flush()
    flush()
    out.flush()
    return shown


def _told(file: RecordedFile, choose: Choose, since_ts: float) -> Iterator[ObservedSignal | str]:
    """Yield what is printed: Signals, and reports of one line."""
    durations = TaskDurations()
    for line in file.lines():
        if isinstance(line, Heard):
            chosen = choose(durations.note(line.observed, line.at_ts))
            if line.at_ts >= since_ts:
                yield from chosen
        elif isinstance(line, Missed) and line.at_ts >= since_ts:
            yield f"({line.count:,} Signals missed by the recording)"
    for fault in faults_of(file):
        yield f"({fault})"
