"""A recording in place of a Synapse: Prism shows what happened, with the clock of that time."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

from ..cards import Card
from ..doppler.observer import Listener
from ..errors import NeuronError, SynapseUnreachable
from ..recordings.lines import End, Heard, Line, LinkChange, Missed, ToldTable
from ..recordings.recorded_file import RecordedFile, faults_of
from ..registry import DendriteRecord, NeuronRecord, SynapseState, TaskRecord

_TICK_S = 1.0
_FRAME_S = 0.05
_TURN_S = 0.02
_LONG_PAUSE_S = 60.0
_AWAY = "not connected at that time"


class ReplayFeed:
    """What a recording tells, as if it happened; see `Feed`.

    Args:
        file: The recording.
        speed: How many times as fast as it was; None: all at once, and the clock then stands at
            the end.
        listener: Receives the Signals and the events of the connection.
        say: Reports to the user, one line at a time.
    """

    def __init__(
        self,
        file: RecordedFile,
        speed: float | None,
        listener: Listener,
        say: Callable[[str], None],
    ) -> None:
        header = file.header
        self.namespace, self.url = header.namespace, header.url
        self._file = file
        self._speed = speed
        self._listener = listener
        self._say = say
        self._to_ts = file.last_ts()
        self._now_ts = header.began_ts
        self._lines: Iterator[Line | None] = file.lines()
        self._next: Line | None = None
        self._ended = False
        self._tables: dict[str, list[Any]] = {}

    @property
    def title(self) -> str:
        """What is shown."""
        times = [
            time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(each))
            for each in (self._file.header.began_ts, self._to_ts)
        ]
        return f"replaying {self.namespace} at {self.url} from {times[0]} to {times[1]}"

    @property
    def facts(self) -> dict[str, Any]:
        """What a page is told first."""
        replay = {
            "file": os.path.basename(self._file.path),
            "from_ts": self._file.header.began_ts,
            "to_ts": self._to_ts,
        }
        return {"mode": "replay", "replay": replay}

    def now_s(self) -> float:
        """Return the time that was reached in the recording."""
        return self._now_ts

    def now_ts(self) -> float:
        """Return the time that was reached in the recording, as wall clock."""
        return self._now_ts

    async def open(self, timeout_s: float) -> None:
        """Begin."""
        self._listener.on_welcomed(True)
        self._step()

    async def close(self) -> None:
        """End."""

    async def pause(self, changed: asyncio.Event) -> None:
        """Let a second of the recording pass: at once, or in its time."""
        if self._ended:
            await asyncio.sleep(_TICK_S)
            return
        until_ts = self._now_ts + _TICK_S
        if self._speed is None:
            if self._next is not None and self._next.at_ts > until_ts + _LONG_PAUSE_S:
                until_ts = self._next.at_ts  # nothing happened
            await self._advance(until_ts)
            return
        while self._now_ts < until_ts and not self._ended:
            await asyncio.sleep(_FRAME_S)
            await self._advance(min(until_ts, self._now_ts + _FRAME_S * self._speed))

    async def _advance(self, until_ts: float) -> None:
        """Let everything happen until a time; other tasks get their turn in between."""
        turn_at_s = time.monotonic() + _TURN_S
        while self._next is not None and self._next.at_ts <= until_ts:
            self._now_ts = max(self._now_ts, self._next.at_ts)
            self._happen(self._next)
            self._step()
            if time.monotonic() > turn_at_s:
                await asyncio.sleep(0)
                turn_at_s = time.monotonic() + _TURN_S
        if self._next is None:
            self._end()
        else:
            self._now_ts = max(self._now_ts, until_ts)

    def _step(self) -> None:
        """Read the next line that is valid; None at the end."""
        try:
            self._next = next((each for each in self._lines if each is not None), None)
        except OSError as error:
            self._say(f"the recording cannot be read any further: {error.strerror}")
            self._next = None

    def _happen(self, line: Line) -> None:
        match line:
            case Heard(observed=observed):
                ends = observed.caller, observed.worker
                self._listener.on_heard(0, b"", *ends, [observed.body])
            case ToldTable(name=name, records=records):
                self._tables[name] = records
            case Missed(count=count):
                self._listener.on_missed(count)
            case LinkChange(connected=True):
                self._listener.on_welcomed(True)
            case LinkChange(reason=reason):
                self._listener.on_away(reason or "no reason was recorded")
            case End():
                pass

    def _end(self) -> None:
        self._ended = True
        self._now_ts = max(self._now_ts, self._to_ts)
        for line in faults_of(self._file):
            self._say(line)

    async def roster(self, timeout_s: float) -> list[NeuronRecord]:
        """Return the Axons as they were."""
        return self._table("roster")

    async def dendrites(self, timeout_s: float) -> list[DendriteRecord]:
        """Return the Dendrites as they were."""
        return self._table("dendrites")

    async def open_tasks(self, timeout_s: float) -> list[TaskRecord] | None:
        """Return the open tasks as they were; None where they are not in the recording."""
        return self._table("tasks") if "tasks" in self._tables else None

    async def state(self, timeout_s: float) -> SynapseState:
        """Return the state of the Synapse as it was."""
        records = self._table("synapse")
        if not records:
            raise SynapseUnreachable(self.url, _AWAY, "it is a recording")
        return cast(SynapseState, records[-1])

    async def card(self, neuron_id: str, timeout_s: float) -> Card:
        """Refuse: a recording holds no cards.

        Raises:
            NeuronError: NO_SUCH_NEURON.
        """
        raise NeuronError("NO_SUCH_NEURON", "a recording holds no cards")

    def _table(self, name: str) -> list[Any]:
        return self._tables.get(name, [])
