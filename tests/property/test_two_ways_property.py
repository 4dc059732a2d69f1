"""The short ways of the hot path give what the long ways give, whatever happens around them."""

import asyncio
import itertools
import logging

from hypothesis import given
from hypothesis import strategies as st

from cosmonapse import (
    Clarification,
    DendriteProtocolError,
    NeuronError,
    Signal,
    SignalType,
    UnencodableValue,
)
from cosmonapse.ids import id_text
from cosmonapse.transport import Outcome
from support.two_ways import FAR, Ends, Named, outcome_of, reply_to


class BreaksWhenRead(dict):
    def items(self):
        raise GeneratorExit


class Text(str):
    pass


HOSTILE = (
    object(),
    {1: 2},
    "\ud800",
    2**70,
    (1, [2, {"a": (3,)}]),
    BreaksWhenRead(key="value"),
    {"__error__": True, "code": "OWN"},
    {"__clarification__": True, "question": "which?"},
    {"marks": {"__error__": True}},
    Text("text"),
    bytearray(b"ab"),
    None,
    {"a": None},
    "é" * 300,
)
VALUES = st.sampled_from([{"n": 1}, "text", *HOSTILE]) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


def crosses(value):
    """Return whether a value can have come in a reply."""
    try:
        return bool(Signal(type=SignalType.AGENT_OUTPUT, payload={"output": value}).encode())
    except (UnencodableValue, GeneratorExit):
        return False


OUTCOMES = st.sampled_from([Outcome.SENT] * 8 + list(Outcome))
LIMITS = st.sampled_from([1 << 20] * 12 + [150, 200, 400])
SMALL = st.integers(0, 7)
SPECIAL = [
    {"trace_id": "trc_" + "0" * 26},
    {"meta": {"a": 1}},
    {"meta": {}},
    {"finalize": True},
    {"context_ref": [1]},
    {"answer_elsewhere": True},
    {"neuron": "bad name"},
    {"neuron": None, "capabilities": ["fr"]},
    {"neuron": None},
]
SHAPES = ["final", "error", "expired", "question", "thought", "cut", "empty", "more"]
CALLS = st.tuples(
    st.just("call"),
    VALUES,
    st.sampled_from([5.0] * 20 + [5, 0.5, 0.0004, 0.0, -1, float("nan"), "5", 30 * 86_400.0]),
    st.sampled_from([{}] * 20 + SPECIAL),
    OUTCOMES,
    LIMITS,
)
REPLY = st.tuples(
    st.sampled_from([0, 0, 0, 1, 2, 3]),
    st.sampled_from(["output"] * 12 + SHAPES),
    st.sampled_from([0] * 8 + [1, 2]),
    st.sampled_from([1] * 12 + [0, 5, 4]),
    VALUES.filter(crosses),
)
JOB = st.tuples(
    SMALL,
    st.sampled_from(["return", "return", "return", "wait", "raise", "ask", "think"]),
    st.integers(0, len(HOSTILE) - 1),
    st.sampled_from([5000, 5000, 300, 0]),
    st.sampled_from([0, 2]),
    st.sampled_from([{}, {}, {}, {"finalize": True}, {"finalize": 1}, {"context_ref": [1]}])
    | st.sampled_from(["cut", "no input", "no task"]),
)
REPLIES = st.tuples(st.just("replies"), st.lists(REPLY, min_size=1, max_size=4))
JOBS = st.tuples(
    st.just("jobs"),
    st.lists(JOB, min_size=1, max_size=4),
    st.sampled_from(["here"] * 9 + ["x"]),
    OUTCOMES,
    LIMITS,
)
WATCHED = [SignalType.TASK, SignalType.AGENT_OUTPUT, SignalType.FINAL, SignalType.ERROR]
AROUND = st.one_of(
    st.tuples(st.just("cancel"), SMALL),
    st.tuples(st.just("cancel_job"), SMALL),
    st.tuples(st.just("bounce"), SMALL, st.sampled_from(["no_route", "busy", "odd"])),
    st.tuples(
        st.just("lost"), SMALL, st.sampled_from(["worker_lost", "not_started", "reply_waits"])
    ),
    st.tuples(st.just("watch"), st.sampled_from([*WATCHED, SignalType.THOUGHT_DELTA])),
    st.tuples(st.just("watch"), st.sampled_from(WATCHED)),
    st.tuples(st.just("watch_trace"), SMALL),
    st.tuples(st.just("unwatch")),
    st.tuples(st.just("release")),
    st.tuples(st.just("pass"), st.sampled_from([0.1, 0.3, 1.0, 6.0])),
)
SCRIPTS = st.lists(
    st.one_of(CALLS, CALLS, CALLS, REPLIES, REPLIES, REPLIES, JOBS, JOBS, AROUND, AROUND),
    min_size=12,
    max_size=30,
)


class Play:
    """Plays a script on a caller and a worker."""

    def __init__(self, short):
        self.calls = []
        self.gate = asyncio.Event()
        self.ends = Ends(self.neuron, short=short)

    async def neuron(self, given, context):
        what, number = given
        if what == "wait":
            await self.gate.wait()
        elif what == "raise":
            raise NeuronError("OWN", f"number {number}")
        elif what == "ask":
            raise Clarification("which?")
        elif what == "think":
            await context.think("hm")
        return HOSTILE[number]

    async def call(self, value, timeout_s, special, outcome, limit):
        self.ends.transport.outcome, self.ends.transport.max_signal_bytes = outcome, limit
        try:
            called = self.ends.dispatch_and_wait(
                **{"neuron": "echo", "input": value, "timeout_s": timeout_s, **special}
            )
        except (ValueError, TypeError) as error:
            called = _raising(error)
        self.calls.append(asyncio.ensure_future(called))

    async def replies(self, replies):
        tasks, items = self.ends.transport.tasks, []
        for number, shape, index, flags, value in replies if tasks else ():
            task, trace, signal = tasks[-1 - number % len(tasks)]
            kind, body = reply_to(signal, shape, value)
            items.append((task, trace, kind, index, flags, body))
        self.ends.dispatcher.plain_calls.on_replies(FAR, items)

    async def jobs(self, jobs, address, outcome, limit):
        self.ends.transport.outcome, self.ends.transport.max_signal_bytes = outcome, limit
        items = []
        for number, what, value, ttl_ms, flags, more in jobs:
            task = bytes(15) + bytes([number])
            payload = {"input": [what, value]} | (more if isinstance(more, dict) else {})
            kind = SignalType.PLAN if more == "no task" else SignalType.TASK
            body = Signal(
                type=kind,
                payload={} if more == "no input" else payload,
                id=id_text("evt_", task),
                trace_id=id_text("trc_", task),
            ).encode()
            body = body[:-1] if more == "cut" else body
            items.append((task, task, kind.code, ttl_ms, flags, body))
        self.ends.inbox.on_tasks(FAR, address, items)

    async def cancel(self, number):
        if self.calls:
            self.calls[number % len(self.calls)].cancel()

    async def cancel_job(self, number):
        self.ends.inbox.on_cancel(FAR, bytes(15) + bytes([number]))

    async def bounce(self, number, reason):
        for task, _, _ in self.ends.transport.tasks[number : number + 1]:
            self.ends.dispatcher.on_bounce(task, reason)

    async def lost(self, number, reason):
        for task, _, _ in self.ends.transport.tasks[number : number + 1]:
            self.ends.dispatcher.on_lost(task, reason)

    async def watch(self, signal_type):
        self.ends.watch(signal_type)

    async def watch_trace(self, number):
        for _, trace, _ in self.ends.transport.tasks[number : number + 1]:
            self.ends.watch(trace_id=id_text("trc_", trace))

    async def unwatch(self):
        self.ends.unwatch()

    async def release(self):
        self.gate.set()

    async def pass_(self, seconds):
        self.ends.time_s += seconds

    async def whole(self, script):
        """Play all of it; return what came of it, step by step, as text."""
        named, story = Named(), []
        for name, *arguments in script:
            before = len(self.ends.transport.sent), len(self.ends.seen)
            try:
                await getattr(self, "pass_" if name == "pass" else name)(*arguments)
            except DendriteProtocolError as error:  # a transport that says it is closed
                story.append(named.text(error))
            await self.ends.turns()
            story += [named.text(each) for each in self.ends.transport.sent[before[0] :]]
            story += [f"seen {named.text(each)}" for each in self.ends.seen[before[1] :]]
            story += [named.text(outcome_of(each)) for each in self.calls]
        await self.ends.close()
        story += [named.text(each) for each in self.ends.transport.sent]
        story += [named.text(outcome_of(each)) for each in self.calls]
        return story, self.ends.dispatcher.counts, self.ends.inbox.counts, self.kept(named)

    def kept(self, named):
        """Return what is stored to be sent again, and what is open still."""
        answers = [
            (key, value if value is None else self.ends.inbox.reply_cache.get(key))
            for key, value in self.ends.inbox.reply_cache.ended.items()
        ]
        bodies = [
            (named.text(key[16:]), value if not isinstance(value, bytes) else Signal.decode(value))
            for key, value in answers
        ]
        return [named.text(str(type(value))) for _, value in bodies], len(self.ends.inbox.jobs)


async def _raising(error):
    raise error


def played(script, *, short):
    async def run():
        return await Play(short).whole(script)

    logging.disable()
    try:
        return asyncio.run(run())
    finally:
        logging.disable(logging.NOTSET)


@given(script=SCRIPTS)
def test_both_ways_give_the_same(script):
    story, *rest = played(script, short=True)
    reference, *other_rest = played(script, short=False)

    for number, (line, expected) in enumerate(itertools.zip_longest(story, reference)):
        assert line == expected, f"line {number}"
    assert rest == other_rest


def test_the_short_ways_are_taken():
    script = [
        ("call", {"n": 1}, 5.0, {}, Outcome.SENT, 1 << 20),
        ("replies", [(0, "output", 0, 1, 1)]),
    ]

    story, counts, *_ = played(script, short=True)

    assert any(line.startswith("<AGENT_OUTPUT") for line in story)
    assert not counts
