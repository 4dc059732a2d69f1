"""A reader of a stream sees the same with runs and without, whatever gets lost on the way."""

import asyncio
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from cosmonapse import Axon, Signal, SignalType
from cosmonapse.dendrite.caller.dispatcher import Dispatcher
from cosmonapse.dendrite.caller.pathways import Pathways
from cosmonapse.dendrite.watch.handlers import Handler
from cosmonapse.dendrite.watch.subscriptions import Subscriptions
from cosmonapse.dendrite.worker.inbox import Inbox
from cosmonapse.dendrite.worker.resync_source import DendriteResyncSource
from cosmonapse.ids import id_bytes
from cosmonapse.kernel import heard_signals
from cosmonapse.tasks import task_for
from cosmonapse.transport import Outcome, ReplyFlag, TaskFlag

CALLER, WORKER = b"c" * 16, b"w" * 16
THOUGHT, PLAN = SignalType.THOUGHT_DELTA, SignalType.PLAN
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5) | st.sampled_from(
    ["x" * 4096, "y" * 4097, "\U0001f600" * 1024, "\xe9" * 3000]
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("think"), TEXTS),
        st.tuples(st.just("think"), TEXTS),
        st.tuples(st.just("yield"), st.integers(1, 200)),
        st.tuples(st.just("reason"), TEXTS),
        st.tuples(st.just("plan"), st.integers(0, 9)),
        st.tuples(st.just("turn"), st.integers(1, 3)),
        st.tuples(st.just("busy"), st.sampled_from([Outcome.BUSY, Outcome.WAITING])),
    ),
    max_size=25,
)


class Worker:
    """A worker whose Neuron follows a script, over a transport that may be full."""

    def __init__(self, steps, send):
        self.transport = mock.Mock(instance=WORKER, max_signal_bytes=1 << 20)
        self.transport.send_reply = self.send_reply
        self.transport.drained = self.drained
        self.full = None
        self.steps, self.send, self.said, self.returned = steps, send, [], []
        watched = Subscriptions(self.transport)
        self.inbox = Inbox(self.transport, watched, mock.Mock(), "worker")
        self.inbox.add(Axon(neuron_id="n", neuron_fn=self.neuron))
        self.source = DendriteResyncSource(
            self.transport, mock.Mock(), self.inbox.jobs, self.inbox.reply_cache
        )

    def send_reply(self, caller, task, trace, kind, body, index, flags):
        if self.full is Outcome.BUSY:
            return Outcome.BUSY
        self.send((task, trace, kind, index, flags, body))
        return self.full or Outcome.SENT

    async def drained(self):
        self.full = None

    async def neuron(self, input, context):
        for what, value in self.steps:
            if what in ("think", "reason"):
                kind = "reasoning" if what == "reason" else None
                self.returned.append(await context.think(value, kind=kind))
                self.said.append((THOUGHT, value))
            elif what == "yield":
                [job] = self.inbox.jobs.values()
                for n in range(value):
                    if not job.think_now(str(n)):
                        await context.think(str(n))
                    self.said.append((THOUGHT, str(n)))
            elif what == "plan":
                await context.plan([value])
                self.said.append((PLAN, value))
            elif what == "turn":
                for _ in range(value):
                    await asyncio.sleep(0)
            else:
                self.full = value
        return {"said": len(self.said)}


class Caller:
    """A caller with a Pathway, and with a handler if it watches."""

    def __init__(self, watches):
        self.transport = mock.Mock(instance=CALLER, max_signal_bytes=1 << 20)
        self.transport.send_task.return_value = Outcome.SENT
        self.transport.is_heard.return_value = False
        self.transport.sync = self.nothing
        self.watched = []
        subscriptions = self.subscriptions = Subscriptions(self.transport)
        if watches:
            types = frozenset({THOUGHT})
            subscriptions.add(Handler(self.watched.append, types, direct=True))
        self.dispatcher = Dispatcher(self.transport, subscriptions)
        self.pathways = Pathways(self.dispatcher, subscriptions)

    async def nothing(self, *_):
        pass


async def streamed(steps, flags, lost, twice, parted, watches, reads_texts):
    """Run a script; return what the reader saw, and the worker, the caller and the wire."""
    wire, seen = [], set()

    def send(item):
        wire.append(item)
        task, trace, kind, index, flags, body = item
        signals = heard_signals(body)
        numbers = set(range(index, index + len(signals)))
        if numbers & parted and flags & ReplyFlag.RUN:
            # As of a worker that sends the first ones alone: the run repeats them.
            alone = [
                (task, trace, kind, index + k, flags & ReplyFlag.SKIPS, each.encode())
                for k, each in enumerate(signals[: len(signals) // 2])
            ]
            caller.dispatcher.plain_calls.on_replies(WORKER, alone)
        if numbers & lost and index not in seen:
            seen.add(index)
            return
        for _ in range(2 if numbers & twice else 1):
            caller.dispatcher.plain_calls.on_replies(WORKER, [item])

    caller, worker = Caller(watches), Worker(steps, send)
    signal = task_for("n", None, {})
    pathway = await caller.pathways.dispatch(signal, 30.0, "all", False)
    [opened] = caller.dispatcher.open_tasks.of_trace(id_bytes(signal.trace_id))
    reading = asyncio.ensure_future(read(pathway, reads_texts))
    item = (opened.task, opened.trace, SignalType.TASK.code, 30_000, flags, signal.encode())
    worker.inbox.on_tasks(CALLER, "n", [item])
    [job] = worker.inbox.jobs.values()
    await job.when_over()
    for _ in range(100):
        if not len(caller.dispatcher.open_tasks):
            break
        worker.full = None
        worker.source.send_again(CALLER, opened.task, opened.next_index)
    texts = await asyncio.wait_for(reading, 20)
    signals = [each async for each in pathway]
    await caller.subscriptions.close()
    return texts, signals, worker, caller, wire


async def read(pathway, reads_texts):
    if reads_texts:
        return [text async for text in pathway.thoughts()]
    return [each async for each in pathway]


def said_by(signals):
    return [
        (THOUGHT, each.payload["delta"])
        if each.type is THOUGHT
        else (PLAN, each.payload["steps"][0])
        for each in signals
        if each.type in (THOUGHT, PLAN)
    ]


INDEXES = st.sets(st.integers(0, 60), max_size=6)


@settings(deadline=None)
@given(
    steps=STEPS,
    reads_runs=st.booleans(),
    lost=INDEXES,
    twice=INDEXES,
    parted=INDEXES,
    watches=st.booleans(),
    reads_texts=st.booleans(),
)
def test_a_reader_sees_all_that_was_said_once_and_in_order(
    steps, reads_runs, lost, twice, parted, watches, reads_texts
):
    flags = int(TaskFlag.RUN) if reads_runs else 0

    texts, signals, worker, caller, wire = asyncio.run(
        streamed(steps, flags, lost, twice, parted, watches, reads_texts)
    )

    assert said_by(signals) == worker.said
    assert signals[-1].output == {"said": len(worker.said)}
    thoughts = [each for each in signals if each.type is THOUGHT]
    assert [each.payload["seq"] for each in thoughts] == list(range(len(thoughts)))
    assert len({each.id for each in signals}) == len(signals)
    spoken = [each for each in thoughts if "kind" not in each.payload]
    if reads_texts:
        assert texts == [each.payload["delta"] for each in spoken]
    else:
        assert texts == signals
    if watches:
        assert caller.watched == thoughts
    by_id = {each.id: each for each in thoughts}
    assert all(by_id[each.id] == each for each in worker.returned)
    counts = caller.dispatcher.counts
    assert counts["drop.bad_signal"] == counts["gap.replies"] == 0
    if not (lost or twice or parted):
        assert sum(counts.values()) == 0
    # What went out, copies for watchers too, are these very Signals, however often it went.
    sent = [each for item in wire for each in heard_signals(item[5])]
    assert {each.id: each for each in sent} == {each.id: each for each in signals}
    if not reads_runs:
        assert not any(item[4] & ReplyFlag.RUN for item in wire)


@settings(deadline=None)
@given(count=st.integers(0, 300), turns=st.integers(1, 40))
def test_what_one_turn_says_goes_as_runs_of_at_most_128(count, turns):
    steps = [("yield", count), ("turn", 1)] * min(turns, 3)

    _, signals, worker, _, wire = asyncio.run(
        streamed(steps, int(TaskFlag.RUN), set(), set(), set(), False, True)
    )

    assert len(signals) == len(worker.said) + 1
    sizes = [len(heard_signals(item[5])) for item in wire]
    assert max(sizes) <= 128
    assert len(sizes) <= 2 + 3 * (3 + count // 64)
    assert all(len(item[5]) <= 16 * 1024 for item in wire)
    assert isinstance(signals[-1], Signal)
