"""Gathers the thoughts of one job, and sends those of one turn of the loop as a run.

Spec: docs/spec/03-routing.md, "Runs". A thin shell around `open_run`: it knows the turn of the loop
and the way of a reply. Nothing waits for a run to fill.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Protocol, TypeAlias

from ...ids import id_after, new_run_id
from ...kernel import MAX_RUN_TEXTS, thought
from ...runtime import clock
from ...signals import Signal
from ...transport import Outcome, Transport
from .open_run import OpenRun, size_of

Job: TypeAlias = Any
"""A `job.Job`, whose module imports this one."""
_CALM_S = 0.001
"""After so long without a thought the next one goes at once, and not at the end of its turn."""


class RunPort(Protocol):
    """Sends the runs of a job."""

    def send_run(self, job: Job, run: OpenRun, is_last: bool) -> Outcome:
        """Send the thoughts of one turn; if they are the last, keep those that find no room."""

    def is_watched(self, job: Job) -> bool:
        """Return whether a handler of ours wants the thoughts of a job."""


class RunSender:
    """The thoughts of one job that its caller reads as runs.

    Args:
        job: The job.
        port: Sends the runs.
        transport: Tells when there is room again.

    Attributes:
        gathered_count: The number of thoughts that were gathered so far.
        is_held_up: True while what was sent waits for room: the Neuron must wait, too.
    """

    __slots__ = (
        "_is_due",
        "_job",
        "_port",
        "_run",
        "_sent_at_s",
        "_transport",
        "gathered_count",
        "is_held_up",
    )

    def __init__(self, job: Job, port: RunPort, transport: Transport) -> None:
        self._job = job
        self._port = port
        self._transport = transport
        self._run: OpenRun | None = None
        self._is_due = False
        self._sent_at_s = 0.0
        self.gathered_count = 0
        self.is_held_up = False

    @property
    def must_yield(self) -> bool:
        """Whether the loop should have its turn after the next one: the Neuron may never wait."""
        return self.gathered_count % MAX_RUN_TEXTS == MAX_RUN_TEXTS - 1

    @property
    def has_unsent(self) -> bool:
        """Whether thoughts wait to be sent, or for room."""
        return self._run is not None or self.is_held_up

    def gather(self, text: str, seq: int) -> OpenRun | None:
        """Append a thought; return its run, or None if it must go alone."""
        job, run = self._job, self._run
        if (
            self.is_held_up
            or job.settled
            or text.__class__ is not str
            or (size := size_of(text)) is None
            or self._port.is_watched(job)
        ):
            return None
        if run is None or not run.add(text, size, seq):
            if run is not None and not self._flush():
                return None
            run = self._begin(text, size, seq)
        self.gathered_count += 1
        return run

    def _begin(self, text: str, size: int, seq: int) -> OpenRun:
        producer_bytes = len(self._job.slots.producer)
        run = OpenRun(new_run_id(MAX_RUN_TEXTS), seq, clock.now_ts(), producer_bytes)
        run.add(text, size, seq)
        self._run = run
        if not self._is_due:
            if time.monotonic() - self._sent_at_s > _CALM_S:
                self._flush()
            else:
                self._is_due = True
                asyncio.get_running_loop().call_soon(self._end_of_turn)
        return run

    def _end_of_turn(self) -> None:
        self._is_due = False
        if self._run is not None and not self.is_held_up:
            self._flush()

    def _flush(self, is_last: bool = False) -> bool:
        """Send what was gathered; return False if there is no room for it."""
        run = self._run
        if run is None:
            return True
        outcome = self._port.send_run(self._job, run, is_last)
        self._sent_at_s = time.monotonic()
        self.is_held_up = outcome is not Outcome.SENT
        if outcome is Outcome.BUSY and not is_last:
            return False
        self._run = None
        return True

    async def flushed(self) -> None:
        """Send what was gathered; wait while there is no room for it, or for more."""
        while self.has_unsent:
            if self.is_held_up:
                await self._transport.drained()
                self.is_held_up = False
            self._flush()

    def end(self) -> None:
        """Send what was gathered, ahead of the last reply."""
        self._flush(is_last=True)

    def signal_of(self, run: OpenRun, seq: int) -> Signal:
        """Return the Signal that a thought of a run is to its readers."""
        task, k = self._job.signal, seq - run.seq
        return thought(
            id_after(run.first_id, k),
            task.trace_id,
            task.id,
            self._job.slots.axon.producer,
            run.ts,
            seq,
            run.texts[k],
        )
