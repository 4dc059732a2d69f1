"""The tasks of a Dendrite, listed for its transport after a lost connection.

Spec: docs/spec/09-resync.md. Implements `transport.ResyncSource`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from ...ids import id_bytes
from ...signals import Signal
from ...transport import Claim, Held, Opened, Outcome, ReplyFlag, Transport
from ..caller.open_tasks import OpenTasks
from .job import Job, Key
from .reply_cache import Reply, ReplyCache

_SETTLES = int(ReplyFlag.SETTLES)
_SKIPS = int(ReplyFlag.SKIPS)
_RUN = int(ReplyFlag.RUN)
_NO_AXON = "-"
"""The name of the Axon in a row of an ended task whose replies are gone."""


class DendriteResyncSource:
    """Lists open tasks and jobs, and sends replies again.

    Args:
        transport: Carries the replies.
        open_tasks: The tasks that we have dispatched.
        jobs: The tasks that run or wait here.
        reply_cache: The tasks that have ended here.
    """

    def __init__(
        self,
        transport: Transport,
        open_tasks: OpenTasks,
        jobs: dict[Key, Job],
        reply_cache: ReplyCache,
    ) -> None:
        self._transport = transport
        self._open_tasks = open_tasks
        self._jobs = jobs
        self._reply_cache = reply_cache

    def open_tasks(self) -> list[Opened]:
        """Return every open task of this Dendrite, oldest first."""
        # With users the Synapse asks where each went, so that nobody else claims it.
        address_of = self._transport.address_of if self._transport.user else None
        return self._open_tasks.opened(asyncio.get_running_loop().time(), address_of)

    def held_tasks(self) -> Iterator[Held]:
        """Yield every task that runs or waits here."""
        now_s = asyncio.get_running_loop().time()
        for job in list(self._jobs.values()):
            yield _held(job, now_s)

    def claim_of(self, caller: bytes, task: bytes) -> Held | None:
        """Return the state of a task here; None for a task that never arrived."""
        job = self._jobs.get(caller + task)
        if job is not None:
            return _held(job, asyncio.get_running_loop().time())
        ended = self._reply_cache.ended
        if caller + task not in ended:
            return None
        # "What the proxy does with it", 3: ANSWERED waits for the last reply, FORGOTTEN is LOST.
        state = Claim.FORGOTTEN if ended[caller + task] is None else Claim.ANSWERED
        name = self._answered_by(caller + task)
        return Held(caller, task, bytes(16), name, state, 0, keep=False)

    def _answered_by(self, key: Key) -> str:
        """Return the neuron that has answered a task; `-` if that is not known any more."""
        # 11-access, "What is checked" 4: a key may serve certain neurons only.
        answered = self._reply_cache.get(key)
        if not answered:
            return _NO_AXON
        body = answered if isinstance(answered, bytes) else answered[-1][-1]
        directed = Signal.decode(body).directed
        return _NO_AXON if directed is None or directed.id is None else directed.id

    def send_again(self, caller: bytes, task: bytes, index: int) -> None:
        """Send the replies of a task again from number `index` on."""
        job = self._jobs.get(caller + task)
        if job is not None and job.stream is not None:
            resend(self._transport, caller, task, list(job.stream.replies), index, False)
        elif job is None:
            repeat(self._transport, self._reply_cache, caller, task, index)


def repeat(
    transport: Transport, reply_cache: ReplyCache, caller: bytes, task: bytes, index: int
) -> bool:
    """Send the replies of an ended task again; return False if they are not stored."""
    answered = reply_cache.get(caller + task)
    if answered is None:
        return False
    if isinstance(answered, bytes):
        answered = ((0, 1, Signal.decode(answered).type.code, answered),)
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
    """Send replies from number `index` on; the first is marked SKIPS if some before it are gone."""
    if not replies:
        return
    first_number, _, _, first_body = replies[0]
    trace = id_bytes(Signal.decode(first_body).trace_id)
    # "At the caller", 2: without SKIPS the caller would ask for the dropped replies for ever.
    skips = _SKIPS if first_number > index else 0
    for at, (number, count, kind, body) in enumerate(replies):
        if number + count <= index:
            continue
        flags = (_SETTLES if has_ended and at == len(replies) - 1 else 0) | skips
        flags |= _RUN if count > 1 else 0
        outcome = transport.send_reply(caller, task, trace, kind, body, number, flags)
        skips = 0
        if outcome not in (Outcome.SENT, Outcome.WAITING):
            return  # the caller sends another GAP for the rest


def _held(job: Job, now_s: float) -> Held:
    left_ms = max(0, int((job.deadline_at_s - now_s) * 1000))
    name = job.slots.axon.neuron_id
    return Held(job.caller, job.task, job.trace, name, Claim.RUNNING, left_ms, job.keep)
