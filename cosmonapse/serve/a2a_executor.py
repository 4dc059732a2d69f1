"""Runs A2A's tasks as TASKs of ours. Needs the extra [a2a]."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.id_generator import IDGenerator, IDGeneratorContext
from a2a.server.tasks import TaskUpdater
from a2a.types import Message, Part, Task, TaskState, TaskStatus
from google.protobuf.json_format import MessageToDict

from ..dendrite.caller.questions import ANSWER_OF, follow_up
from ..edge import gaps
from ..edge.faults import answer_and_log
from ..edge.outcomes import BadRequest
from ..edge.reader import SignalReader
from ..errors import BadSignal, CosmonapseError
from ..ids import id_bytes, id_text, new_trace_id
from ..signals import Signal
from .a2a_parts import Settled, answer_to, input_of, output_pieces, settled, text_key
from .a2a_store import NEURON, NeuronTaskStore
from .a2a_thoughts import ThoughtPiece, ThoughtPieces
from .a2a_wire import parts_of, pieces_of
from .gateway import Gateway

_OUTPUT = "output"
_EVERY_S = 0.05
_CARDS_S = 0.25
_MAX_TIMEOUT_S = 30 * 24 * 3600.0


class TraceIds(IDGenerator):
    """Makes the id of a conversation that the client did not name: the id of a workflow."""

    def generate(self, context: IDGeneratorContext) -> str:
        """Return a new one."""
        return new_trace_id()


def trace_of(context_id: str) -> str:
    """Return the workflow of a conversation: its id itself, or one made of a client's own id."""
    try:
        id_bytes(context_id)
    except BadSignal:
        return id_text("trc_", hashlib.blake2b(context_id.encode(), digest_size=16).digest())
    return "trc_" + context_id[4:]


@attrs.frozen
class _Errand:
    """A TASK to send.

    Args:
        neuron: The Neuron.
        input: Its input.
        trace_id: The workflow.
        timeout_s: The longest time that it may take.
        parent_id: The question that it follows.
        meta: Further values.
    """

    neuron: str
    input: Any
    trace_id: str
    timeout_s: float
    parent_id: str | None = None
    meta: dict[str, Any] | None = None


class NeuronExecutor(AgentExecutor):
    """Runs the tasks of all agents; the state of a call names the Neuron.

    It holds nothing between two messages of a task: what a task waits with is in the store.

    Args:
        gateway: Sends the TASKs.
        store: Keeps the tasks and their questions.
    """

    def __init__(self, gateway: Gateway, store: NeuronTaskStore) -> None:
        self._gateway = gateway
        self._store = store

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Run a message until its TASK is settled."""
        told = _Told(event_queue, context)
        await told.accepted()
        try:
            errand = await self._errand(context)
        except (BadRequest, CosmonapseError, ValueError) as error:
            await self._refuse(context, told, error)
            return
        await told.working()
        await self._run(errand, told)

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Say that a task is cancelled; `execute` is cancelled next, and with it the TASK."""
        await _Told(event_queue, context).settled(Settled("CANCELED", "cancelled by the client"))

    async def _errand(self, context: RequestContext) -> _Errand:
        neuron, task_id = _neuron(context), str(context.task_id)
        cards = await self._gateway.cards(_CARDS_S)
        key = text_key(cards[neuron].input) if neuron in cards else text_key(None)
        pieces = pieces_of(_message(context).parts)
        timeout_s = _timeout_s(context, self._gateway.settings.timeout_s)
        asking = self._store.asking(neuron, task_id)
        if asking is None:
            trace_id = trace_of(str(context.context_id))
            return _Errand(neuron, input_of(pieces, key), trace_id, timeout_s)
        task, question = asking
        answer = question.reply(ANSWER_OF[question.type], payload=answer_to(question, pieces, key))
        after = follow_up(task, question, answer)
        to = neuron if after.directed is None else after.directed.id or neuron
        return _Errand(
            to, after.payload["input"], after.trace_id, timeout_s, after.parent_id, after.meta
        )

    async def _refuse(self, context: RequestContext, told: _Told, error: Exception) -> None:
        """Reject a message; the answer to a question is asked for again."""
        asking = self._store.asking(_neuron(context), str(context.task_id))
        if asking is None or not isinstance(error, BadRequest):
            await told.settled(_of_error(error, told.trace_id))
            return
        again = settled(asking[1], told.trace_id)
        await told.settled(attrs.evolve(again, text=f"{again.text}\n({error})"))

    async def _run(self, errand: _Errand, told: _Told) -> None:
        try:
            task, outcome = await self._outcome(errand, told)
        except (CosmonapseError, TimeoutError, ValueError) as error:
            await told.pieces(told.thoughts.end())
            await told.settled(_of_error(error, errand.trace_id))
            return
        end = settled(outcome, errand.trace_id)
        if end.state == "COMPLETED":
            await told.output(outcome.output)
        self._store.remember(told.neuron, told.task_id, (task, outcome) if end.asks else None)
        await told.settled(end)

    async def _outcome(self, errand: _Errand, told: _Told) -> tuple[Signal, Signal]:
        pathway = await self._gateway.dendrite.dispatch(
            neuron=errand.neuron,
            input=errand.input,
            timeout_s=errand.timeout_s,
            trace_id=errand.trace_id,
            parent_id=errand.parent_id,
            meta=errand.meta,
        )
        reader = SignalReader(pathway)
        # The Pathway alone is closed with the gateway: its reader meets its end.
        async with self._gateway.open(pathway):
            try:
                await _follow(reader, told)
            finally:
                await reader.close()
        assert pathway.task is not None, "a dispatch has a TASK"
        assert reader.reply is not None, "the reader has come to its end"
        return pathway.task, reader.reply


class _Told:
    """What the client of a task hears.

    Args:
        queue: Takes the events.
        context: The message.
    """

    def __init__(self, queue: EventQueue, context: RequestContext) -> None:
        self.task_id = str(context.task_id)
        self.neuron = _neuron(context)
        self.trace_id = trace_of(str(context.context_id))
        self._queue = queue
        self._context = context
        self._updater = TaskUpdater(queue, self.task_id, str(context.context_id))
        self.thoughts = ThoughtPieces()

    async def accepted(self) -> None:
        """Say that a new task is there; a known one goes on."""
        if self._context.current_task is not None:
            return
        task = Task(
            id=self.task_id,
            context_id=str(self._context.context_id),
            status=TaskStatus(state=TaskState.TASK_STATE_SUBMITTED),
            history=[_message(self._context)],
        )
        task.status.timestamp.GetCurrentTime()
        task.metadata.update({"trace_id": self.trace_id})
        await self._queue.enqueue_event(task)

    async def working(self) -> None:
        """Say that it works."""
        await self._updater.start_work()

    async def pieces(self, pieces: Iterable[ThoughtPiece]) -> None:
        """Add pieces to the artifacts of thoughts."""
        for piece in pieces:
            await self._updater.add_artifact(
                [Part(text=piece.text, media_type="text/plain")],
                artifact_id=piece.artifact_id,
                name=piece.artifact_id,
                metadata={gaps.KEY: piece.missed} if piece.missed else None,
                append=piece.append,
                last_chunk=False,
            )

    async def output(self, output: Mapping[str, Any]) -> None:
        """Add the output."""
        pieces = output_pieces(output, self.thoughts.text)
        await self._updater.add_artifact(
            parts_of(pieces), artifact_id=_OUTPUT, name=_OUTPUT, last_chunk=True
        )

    async def settled(self, end: Settled) -> None:
        """Say what the task has come to."""
        facts = dict(end.facts)
        if self.thoughts.missed:
            facts[gaps.KEY] = self.thoughts.missed
        message = self._updater.new_agent_message([Part(text=end.text)], facts)
        # What an event says in its metadata stays in that of the task, after an answer too.
        stays = None if end.asks else facts or None
        state = TaskState.Value(f"TASK_STATE_{end.state}")
        await self._updater.update_status(state, message if end.text else None, metadata=stays)


async def _follow(reader: SignalReader, told: _Told) -> None:
    """Tell the thoughts: the first at once, and those that follow at most twenty times a second."""
    clock = asyncio.get_running_loop().time
    due_s = 0.0
    while True:
        left_s = due_s - clock()
        if told.thoughts.has_news and (left_s <= 0 or not await reader.wait(left_s)):
            await told.pieces(told.thoughts.pop())
            due_s = clock() + _EVERY_S
        signal = await reader.next()
        if signal is None:
            await told.pieces(told.thoughts.end())
            return
        told.thoughts.take(signal, reader.missed_now)


def _of_error(error: Exception, trace_id: str) -> Settled:
    answer_and_log(error)
    return settled(error, trace_id)


def _neuron(context: RequestContext) -> str:
    return str(context.call_context.state[NEURON])


def _message(context: RequestContext) -> Message:
    assert context.message is not None, "a request to run something has a message"
    return context.message


def _timeout_s(context: RequestContext, longest_s: float) -> float:
    """Return `timeout_s` of the metadata of the request or its message, or the gateway's.

    Raises:
        BadRequest: It is no number of seconds.
    """
    told = MessageToDict(_message(context).metadata) | context.metadata
    asked = told.get("timeout_s", longest_s)
    if isinstance(asked, bool) or not isinstance(asked, int | float):
        raise BadRequest("timeout_s in the metadata must be a number of seconds")
    if not 0 < asked <= _MAX_TIMEOUT_S:
        raise BadRequest("timeout_s in the metadata must be over 0 and at most 30 days")
    return float(asked)
