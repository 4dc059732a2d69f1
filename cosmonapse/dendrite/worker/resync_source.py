"""What a Dendrite knows of its tasks, for when a connection is lost. See `transport.Keeper`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from ...ids import id_bytes
from ...signals import Signal
from ...transport import Claim, Held, Opened, Outcome, Transport
from ..caller.open_tasks import OpenTasks
from .job import Job, Key
from .reply_cache import Reply, ReplyCache

_ANYBODY = "-"
"""In place of the name of the Axon, where it makes no difference."""


class DendriteResyncSource:
    """Lists open tasks and jobs, and sends replies again.

    Args:
        transport: What carries the replies.
        delivery: The tasks that are open.
        jobs: The tasks in our hands.
        answers: The tasks that have ended here.
    """

    def __init__(
        self,
        transport: Transport,
        open_tasks: OpenTasks,
        jobs: dict[Key, Job],
        answers: ReplyCache,
    ) -> None:
        self._transport = transport
        self._delivery = open_tasks
        self._jobs = jobs
        self._answers = answers

    def open_tasks(self) -> list[Opened]:
        """Return every task of ours that is open, oldest first."""
        return self._delivery.opened(asyncio.get_running_loop().time())

    def held_tasks(self) -> Iterator[Held]:
        """Return every task that runs or waits here."""
        now_s = asyncio.get_running_loop().time()
        for job in list(self._jobs.values()):
            yield _held(job, now_s)

    def claim_of(self, caller: bytes, task: bytes) -> Held | None:
        """Return what we have of a task."""
        job = self._jobs.get((caller, task))
        if job is not None:
            return _held(job, asyncio.get_running_loop().time())
        ended = self._answers.ended
        if caller + task not in ended:
            return None
        state = Claim.FORGOTTEN if ended[caller + task] is None else Claim.ANSWERED
        return Held(caller, task, bytes(16), _ANYBODY, state, 0, keep=False)

    def send_again(self, caller: bytes, task: bytes, index: int) -> None:
        """Send the replies of a task again from number `index` on."""
        job = self._jobs.get((caller, task))
        if job is not None and job.stream is not None:
            resend(self._transport, caller, task, list(job.stream.replies), index, False)
        elif job is None:
            repeat(self._transport, self._answers, caller, task, index)


def repeat(
    transport: Transport, answers: ReplyCache, caller: bytes, task: bytes, index: int
) -> bool:
    """Send the replies of a task that has ended again; False when they are not kept."""
    answered = answers.get(caller + task)
    if answered is None:
        return False
    if isinstance(answered, bytes):
        answered = ((0, Signal.decode(answered).type.code, answered),)
    resend(transport, caller, task, list(answered), index, True)
    return True


def resend(
    transport: Transport,
    caller: bytes,
    task: bytes,
    replies: list[Reply],
    index: int,
    has_ended: bool,
) -> None:
    """Send replies from number `index` on; the first says so if some before it are gone."""
    if not replies:
        return
    trace = id_bytes(Signal.decode(replies[0][2]).trace_id)
    skips = replies[0][0] > index
    for at, (number, kind, body) in enumerate(replies):
        if number < index:
            continue
        outcome = transport.send_reply(
            caller,
            task,
            trace,
            kind,
            body,
            index=number,
            settles=has_ended and at == len(replies) - 1,
            skips=skips,
        )
        skips = False
        if outcome not in (Outcome.SENT, Outcome.WAITING):
            return  # whoever misses the rest asks again


def _held(job: Job, now_s: float) -> Held:
    left_ms = max(0, int((job.deadline_at_s - now_s) * 1000))
    name = job.slots.axon.neuron_id
    return Held(job.caller, job.task, job.trace, name, Claim.RUNNING, left_ms, job.keep)
