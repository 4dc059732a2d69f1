"""The CPU time of the processes of a system, by process and by kind of thread. Linux only.

`/proc/<pid>/task/*/schedstat` counts nanoseconds on a core: other load of the machine stretches a
wall clock, and not this figure.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

import attrs

_PROC = Path("/proc")
_PARENT_FIELD = 1  # after the name of the program, which may hold spaces
_LIBZMQ = "ZMQbg"  # the names of the threads of libzmq begin so
_BUSY_SHARE = 0.02
_SHOWN_US = 0.05
_MOST_SHOWN = 4
T = TypeVar("T")


@attrs.frozen
class Used:
    """CPU time of one process, in seconds.

    Args:
        own: In its own threads.
        libzmq: In the threads that libzmq starts.
    """

    own: float
    libzmq: float = 0.0

    @property
    def all(self) -> float:
        """In all threads."""
        return self.own + self.libzmq

    def since(self, before: Used) -> Used:
        """Return the difference to an earlier value."""
        return Used(self.own - before.own, self.libzmq - before.libzmq)


def used(pid: int) -> Used:
    """Return the CPU time of the living threads of a process; zero if it is gone."""
    own_ns = libzmq_ns = 0
    with suppress(OSError):
        for task in (_PROC / str(pid) / "task").iterdir():
            with suppress(OSError):  # this thread has just ended
                taken_ns = int((task / "schedstat").read_text().split()[0])
                if (task / "comm").read_text().startswith(_LIBZMQ):
                    libzmq_ns += taken_ns
                else:
                    own_ns += taken_ns
    return Used(own_ns / 1e9, libzmq_ns / 1e9)


def descendants(root: int | None = None) -> list[int]:
    """Return the processes below one, this one by default, in ascending order."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):  # it has just ended
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                children.setdefault(int(fields[_PARENT_FIELD]), []).append(int(entry.name))
    found, waiting = list[int](), [os.getpid() if root is None else root]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return sorted(found)


@attrs.frozen
class Cost(Generic[T]):
    """One round: its result, and the CPU time that it took.

    Args:
        result: What the round returned.
        processes: The CPU time of each process that did work, in the order of their start.
    """

    result: T
    processes: tuple[Used, ...]

    @property
    def cpu_s(self) -> float:
        """CPU time of all processes, in seconds."""
        return sum(each.all for each in self.processes)

    def us_each(self, count: float) -> float:
        """Return the CPU time of one of `count` operations, in microseconds."""
        return self.cpu_s / count * 1e6


class Meter:
    """Measures the CPU time of processes while something runs.

    Args:
        pids: The processes.
    """

    def __init__(self, pids: Iterable[int]) -> None:
        self.pids = tuple(pids)

    def take(self, work: Callable[[], T]) -> Cost[T]:
        """Do `work` and return its result with its cost."""
        before = [used(pid) for pid in self.pids]
        result = work()
        after = [used(pid) for pid in self.pids]
        return Cost(result, tuple(now.since(was) for now, was in zip(after, before, strict=True)))


def started_by(start: Callable[[], T]) -> tuple[T, Meter]:
    """Start a system; return what `start` returned and a meter of the processes it started.

    Where there is no `/proc`, the meter is of no process.
    """
    if not _PROC.is_dir():
        return start(), Meter(())
    before = set(descendants())
    result = start()
    return result, Meter(pid for pid in descendants() if pid not in before)


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Return how many times the CPU time of ours theirs needs, round by round."""
    return [their / our for our, their in zip(ours, theirs, strict=False) if our > 0]


def parts(costs: Sequence[Cost[T]], counts: Sequence[float]) -> list[tuple[float, float]]:
    """Return the medians of the microseconds of one operation in each busy process.

    Args:
        costs: Of all rounds.
        counts: How many operations each round had.

    Returns:
        For each process its own threads and those of libzmq, in the order of their start.
    """
    of_rounds = [
        [Used(each.own / count * 1e6, each.libzmq / count * 1e6) for each in cost.processes]
        for cost, count in zip(costs, counts, strict=True)
    ]
    found = [
        (statistics.median(u.own for u in taken), statistics.median(u.libzmq for u in taken))
        for taken in zip(*of_rounds, strict=True)
    ]
    whole = sum(own + libzmq for own, libzmq in found)
    return [(own, libzmq) for own, libzmq in found if own + libzmq > _BUSY_SHARE * whole]


def shown(found: Sequence[tuple[float, float]]) -> str:
    """Show the result of `parts`: `62 + 8 io` is 62 us of a process and 8 of libzmq's threads.

    Of more than four processes all but the first are added up.
    """
    if len(found) <= _MOST_SHOWN:
        return ", ".join(_shown(own, libzmq) for own, libzmq in found)
    first, *others = found
    own_us, libzmq_us = (sum(each) for each in zip(*others, strict=True))
    return f"{_shown(*first)}, {len(others)} others {_shown(own_us, libzmq_us)}"


def _shown(own_us: float, libzmq_us: float) -> str:
    return f"{own_us:.1f} + {libzmq_us:.1f} io" if libzmq_us >= _SHOWN_US else f"{own_us:.1f}"
