"""Which worker process starts or ends, and when. Pure.

Each place holds one process that serves. A reload starts the next one beside it and ends the old
one when the new one is ready, so that tasks always find a worker. The first process of a reload
goes alone: if it does not get ready, the old code goes on everywhere.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import attrs

FIRST_BACKOFF_S = 0.5
MAX_BACKOFF_S = 30.0
STABLE_S = 10.0
"""A process that served that long does not count as one of a crash loop."""
MAX_FIRST_CRASHES = 5
KILL_AFTER_S = 3.0
"""What a process has beyond the grace, to cancel what is left and to send its last replies."""


class Phase(enum.Enum):
    """What a process does."""

    STARTING = "starting"
    SERVING = "serving"
    LEAVING = "leaving"


@attrs.define
class WorkerProcess:
    """One process of the runner.

    Attributes:
        number: Its number; never used again.
        place: The place that it serves at.
        generation: The number of the code that it has loaded.
        phase: What it does.
        since_s: When that phase began.
        pid: Its process id; 0 before it has one.
        kill_at_s: When it is killed, while it is leaving.
    """

    number: int
    place: int
    generation: int
    since_s: float
    phase: Phase = Phase.STARTING
    pid: int = 0
    kill_at_s: float = math.inf


@attrs.frozen
class Failure:
    """Why a process ended before it was ready.

    Attributes:
        reason: One line, with file and line where there are some.
        code: The exit code of the runner, if it gives up for this.
        is_final: True for a mistake that the same code makes again at each attempt.
        in_program: False for a mistake in the command line, which no change of the program mends.
        trace: The traceback, for one that is not final.
    """

    reason: str
    code: int = 1
    is_final: bool = False
    in_program: bool = True
    trace: str = ""


def failure_in(message: Mapping[str, Any]) -> Failure:
    """Return what a process has told; what one of a newer version says besides is left out."""
    names = [each.name for each in attrs.fields(Failure)]
    return Failure(**{name: message[name] for name in names if name in message})


@attrs.frozen
class Action:
    """What the runner does: `start`, `end` (SIGTERM) or `kill` the process of that number."""

    what: Literal["start", "end", "kill"]
    number: int


@attrs.frozen
class Notice:
    """What the runner tells.

    Attributes:
        what: `serving`, `reloaded`, `reload_failed`, `start_failed`, `crashed`, `again`,
            `killed`, `held` or `gave_up`; the runner adds `waiting` and `loading`.
        reason: Why, or what has changed.
        pids: The processes that it is about.
        seconds: How long it took, or how long it takes until the next attempt.
        trace: The traceback of what was raised.
    """

    what: str
    reason: str = ""
    pids: tuple[int, ...] = ()
    seconds: float = 0.0
    trace: str = ""


class Supervisor:
    """Decides about the processes of one runner. Every time is of one monotonic clock.

    Args:
        count: The number of processes that serve.
        grace_s: How long the tasks of a process that ends may still run.
        reloads: Whether a change of the program will be told.

    Attributes:
        processes: The processes that live, by number.
        exit_code: The exit code, once it is decided; the runner ends when no process is left.
        count: The number of places.
    """

    def __init__(self, count: int, grace_s: float, reloads: bool = False) -> None:
        self.processes: dict[int, WorkerProcess] = {}
        self.exit_code: int | None = None
        self._grace_s = grace_s
        self._reloads = reloads
        self.count = count
        self._places = range(count)
        self._crashes = [0] * count
        self._retry_at_s = [-math.inf] * count
        self._generation = 0
        self._changed_at_s = 0.0
        self._changes = ""
        self._announced = -1
        self._has_served = False
        self._is_proven = False  # a process of this generation was ready
        self._is_held = False  # the code of this generation does not get ready
        self._first_crashes = 0
        self._last_reason = ""
        self._next_number = 0
        self._done: list[Action | Notice] = []

    @property
    def is_over(self) -> bool:
        """Whether the runner may end."""
        return self.exit_code is not None and not self.processes

    def is_leaving(self, number: int) -> bool:
        """Return whether a process is to end."""
        process = self.processes.get(number)
        return process is None or process.phase is Phase.LEAVING

    # -- events: each returns what to do now, in order --------------------------------------------

    def begin(self, now_s: float) -> list[Action | Notice]:
        """Start."""
        self._changed_at_s = now_s
        return self._advance(now_s)

    def spawned(self, number: int, pid: int) -> None:
        """Record the process id of a process."""
        self.processes[number].pid = pid

    def ready(self, number: int, now_s: float) -> list[Action | Notice]:
        """Record that TASKs reach a process."""
        process = self.processes.get(number)
        if process is None or process.phase is not Phase.STARTING:
            return self._advance(now_s)
        for old in self._at(process.place, Phase.SERVING):
            self._end(old, now_s)
        process.phase, process.since_s = Phase.SERVING, now_s
        self._has_served = self._is_proven = True
        self._is_held = False
        self._last_reason = ""
        self._announce(process, now_s)
        return self._advance(now_s)

    def ended(
        self, number: int, how: str, failure: Failure | None, now_s: float
    ) -> list[Action | Notice]:
        """Record the end of a process.

        Args:
            number: Its number.
            how: How it ended, such as `exited with code 1`.
            failure: What it said before, if it was never ready.
            now_s: The time.
        """
        process = self.processes.pop(number, None)
        if process is None or self.exit_code is not None:
            return self._advance(now_s)
        if process.phase is Phase.STARTING:
            self._failed(process, failure or Failure(how), now_s)
        elif process.phase is Phase.SERVING:
            self._crashed(process, how, now_s)
        return self._advance(now_s)

    def changed(self, names: Iterable[str], now_s: float) -> list[Action | Notice]:
        """Replace every process, since these files have changed."""
        if self.exit_code is not None:
            return []
        self._generation += 1
        self._changes = ", ".join(names)
        self._changed_at_s = now_s
        self._is_proven = self._is_held = False
        self._first_crashes = 0
        self._crashes = [0] * len(self._places)
        self._retry_at_s = [-math.inf] * len(self._places)
        for process in self._all(Phase.STARTING):
            self._end(process, now_s)
        return self._advance(now_s)

    def stop(self, code: int, now_s: float) -> list[Action | Notice]:
        """End every process; called again, kill them."""
        if self.exit_code is not None:
            self._done += [Action("kill", each) for each in self.processes]
        self._give_up(code, now_s)
        return self._advance(now_s)

    def due(self, now_s: float) -> list[Action | Notice]:
        """Do what is due now; call it at `next_at_s`."""
        return self._advance(now_s)

    def next_at_s(self) -> float:
        """Return when something is due; infinity if only an event can change anything."""
        kills = [each.kill_at_s for each in self._all(Phase.LEAVING)]
        starts = [self._retry_at_s[place] for place in self._wanting()]
        return min([*kills, *starts], default=math.inf)

    # -- decisions ---------------------------------------------------------------------------------

    def _advance(self, now_s: float) -> list[Action | Notice]:
        for process in self._all(Phase.LEAVING):
            if now_s >= process.kill_at_s:
                process.kill_at_s = math.inf
                self._done += [
                    Notice("killed", pids=(process.pid,)),
                    Action("kill", process.number),
                ]
        for place in self._wanting():
            if now_s >= self._retry_at_s[place]:
                self._start(place, now_s)
        done, self._done = self._done, []
        return done

    def _wanting(self) -> list[int]:
        """Return the places that need a process, as far as one may be started."""
        if self.exit_code is not None:
            return []
        starting = {each.place for each in self._starting()}
        serving = {each.place: each.generation for each in self._all(Phase.SERVING)}
        found = [
            place
            for place in self._places
            if place not in starting
            and serving.get(place) != self._generation
            and not (self._is_held and (place in serving or not self._has_served))
        ]
        if self._is_proven:
            return found
        return [] if starting else found[:1]  # the first one goes alone

    def _start(self, place: int, now_s: float) -> None:
        number = self._next_number
        self._next_number += 1
        self.processes[number] = WorkerProcess(number, place, self._generation, now_s)
        self._done.append(Action("start", number))

    def _end(self, process: WorkerProcess, now_s: float) -> None:
        if process.phase is Phase.LEAVING:
            return
        process.phase, process.since_s = Phase.LEAVING, now_s
        process.kill_at_s = now_s + self._grace_s + KILL_AFTER_S
        self._done.append(Action("end", process.number))

    def _announce(self, process: WorkerProcess, now_s: float) -> None:
        serving = self._all(Phase.SERVING)
        pids = tuple(each.pid for each in serving)
        is_whole = len(serving) == len(self._places)
        if self._announced == self._generation:
            self._done.append(Notice("again", pids=(process.pid,)))
        elif is_whole and all(each.generation == self._generation for each in serving):
            what = "serving" if self._announced < 0 else "reloaded"
            took_s = now_s - self._changed_at_s
            self._announced = self._generation
            self._done.append(Notice(what, self._changes, pids, took_s))

    def _failed(self, process: WorkerProcess, failure: Failure, now_s: float) -> None:
        """Decide what follows when a process ended before it was ready."""
        is_new = failure.reason != self._last_reason
        self._last_reason = failure.reason
        if not self._has_served:
            self._first_crashes += 1
            if failure.is_final or self._first_crashes >= MAX_FIRST_CRASHES:
                self._never_ready(failure, failure.is_final or is_new, now_s)
                return
        delay_s = self._back_off(process.place, now_s)
        old = self._at(process.place, Phase.SERVING)
        if old and not self._is_proven:
            self._is_held = True
            self._done.append(Notice("reload_failed", failure.reason))
        elif is_new:
            self._done.append(Notice("start_failed", failure.reason, seconds=delay_s))

    def _never_ready(self, failure: Failure, tells_reason: bool, now_s: float) -> None:
        """End, or wait for the change that may mend the program."""
        self._is_held = self._reloads and failure.in_program
        what = "held" if self._is_held else "gave_up"
        reason = failure.reason if tells_reason else ""
        self._done.append(Notice(what, reason, trace=failure.trace))
        if not self._is_held:
            self._give_up(failure.code, now_s)

    def _crashed(self, process: WorkerProcess, how: str, now_s: float) -> None:
        if now_s - process.since_s >= STABLE_S:
            self._crashes[process.place] = 0
        delay_s = self._back_off(process.place, now_s)
        self._done.append(Notice("crashed", how, (process.pid,), delay_s))

    def _back_off(self, place: int, now_s: float) -> float:
        """Return how long a place waits for its next process: 0.5 s, 1 s, ... 30 s."""
        delay_s = min(FIRST_BACKOFF_S * 2.0 ** min(self._crashes[place], 10), MAX_BACKOFF_S)
        if self._has_served:  # until then there are few attempts
            self._crashes[place] += 1
        self._retry_at_s[place] = now_s + delay_s
        return delay_s

    def _give_up(self, code: int, now_s: float) -> None:
        if self.exit_code is None:
            self.exit_code = code
        for process in list(self.processes.values()):
            self._end(process, now_s)

    def _starting(self) -> list[WorkerProcess]:
        return self._all(Phase.STARTING)

    def _all(self, phase: Phase) -> list[WorkerProcess]:
        return [each for each in self.processes.values() if each.phase is phase]

    def _at(self, place: int, phase: Phase) -> list[WorkerProcess]:
        return [each for each in self._all(phase) if each.place == place]
