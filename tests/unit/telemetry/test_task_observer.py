"""What an observer of a Dendrite is told about each task, on both ways of a call."""

import asyncio
import contextvars
import logging

import pytest
import pytest_asyncio

from cosmonapse import Axon, Dendrite, MemorySynapse, SignalTooLarge
from cosmonapse.telemetry.task_observer import Observers, TaskObserver

pytestmark = pytest.mark.asyncio
RUNNING = contextvars.ContextVar("RUNNING", default="nothing")
CALLER = ("before_send", "on_not_sent", "on_sent", "on_first_thought", "on_settled")


class Notes(TaskObserver):
    """Notes what it is told, and sets a context variable where a Neuron runs."""

    def __init__(self):
        self.told = []
        self.marks = []
        self._token = None

    def of(self, *methods):
        return [(name, what) for name, what in self.told if name in methods]

    def on_sent(self, opened):
        self.told.append(("on_sent", opened.signal.directed.id))

    def on_first_thought(self, opened):
        self.told.append(("on_first_thought", opened.signal.directed.id))

    def on_settled(self, opened, signal):
        code = signal if isinstance(signal, str) else signal.payload.get("code", signal.type.value)
        self.told.append(("on_settled", code))

    def on_arrived(self, job):
        self.told.append(("on_arrived", job.slots.axon.neuron_id))
        self.marks.append(job.signal.meta.get("mark"))

    def on_start(self, job):
        self._token = RUNNING.set(job.signal.id)
        self.told.append(("on_start", job.started_at_s >= job.arrived_at_s))

    def on_first_said(self, job):
        self.told.append(("on_first_said", job.slots.axon.neuron_id))

    def on_tool(self, job, signal):
        self.told.append(("on_tool", signal.type.value))

    def on_end(self, job, signal_type, payload):
        self.told.append(("on_end", payload.get("code", signal_type.value)))

    def on_leave(self, job):
        RUNNING.reset(self._token)
        self.told.append(("on_leave", RUNNING.get()))


class SigningNotes(Notes):
    """Wants to know of a TASK before it is sent, and adds to its meta."""

    def before_send(self, signal, waits):
        signal.meta["mark"] = "ours"
        self.told.append(("before_send", waits))

    def on_not_sent(self, signal, error):
        self.told.append(("on_not_sent", type(error).__name__))


async def doubled(input, context):
    return {"doubled": input["x"] * 2, "running": RUNNING.get()}


def threaded(input, context):
    return {"running": RUNNING.get()}


async def texts(input, context):
    yield "one "
    yield "two "


async def failing(input, context):
    raise ValueError("no")


async def asking(input, context):
    if "clarification" in input:
        return {"answer": input["clarification"]["answer"]}
    return {"__clarification__": True, "question": "which?"}


async def hanging(input, context):
    await asyncio.sleep(60)


async def using_a_tool(input, context):
    call = await context.tool_call("search", {"q": 1})
    await context.tool_result(call, "found")
    return {}


NEURONS = (using_a_tool, doubled, threaded, texts, failing, asking, hanging)


@pytest_asyncio.fixture
async def fabric():
    synapse = MemorySynapse(max_signal_bytes=100_000)
    worker = Dendrite(synapse=synapse, role="worker", dendrite_id="worker")
    for each in NEURONS:
        worker.attach_axon(Axon(neuron_id=each.__name__, neuron_fn=each))
    async with worker, Dendrite(synapse=synapse, dendrite_id="caller") as caller:
        yield caller, worker


@pytest.fixture(params=[Notes, SigningNotes], ids=["plain", "with signals"])
def notes(request, fabric):
    made = request.param()
    for each in fabric:
        each._observers.add(made)
    return made


async def test_a_call_is_told_once_at_each_of_its_steps(fabric, notes):
    output = await fabric[0].ask(neuron="doubled", input={"x": 2})

    assert output["doubled"] == 4
    assert notes.of(*CALLER[2:]) == [("on_sent", "doubled"), ("on_settled", "AGENT_OUTPUT")]
    assert notes.of("on_arrived", "on_start", "on_end", "on_leave") == [
        ("on_arrived", "doubled"),
        ("on_start", True),
        ("on_end", "AGENT_OUTPUT"),
        ("on_leave", "nothing"),
    ]
    assert notes.marks == ["ours" if isinstance(notes, SigningNotes) else None]


@pytest.mark.parametrize("neuron", ["doubled", "threaded"])
async def test_a_context_variable_of_the_observer_holds_while_the_neuron_runs(
    neuron, fabric, notes
):
    for _ in range(3):  # the asyncio task is used again, and sees nothing of the one before
        output = await fabric[0].ask(neuron=neuron, input={"x": 1})

        assert output["running"].startswith("evt_")


async def test_the_first_thought_is_told_once_on_both_sides(fabric, notes):
    async with await fabric[0].dispatch(neuron="texts", input={}) as pathway:
        heard = [text async for text in pathway.thoughts()]

    assert heard == ["one ", "two "]
    assert notes.of("on_first_said", "on_first_thought") == [
        ("on_first_said", "texts"),
        ("on_first_thought", "texts"),
    ]
    assert notes.of("on_settled") == [("on_settled", "AGENT_OUTPUT")]


@pytest.mark.parametrize(
    ("neuron", "code"), [("failing", "NEURON_EXCEPTION"), ("nobody", "NO_SUCH_NEURON")]
)
async def test_an_error_settles_a_task(neuron, code, fabric, notes):
    await fabric[0].dispatch_and_wait(neuron=neuron, input={})

    assert notes.of("on_settled", "on_end")[-1] == ("on_settled", code)
    assert len(notes.of("on_sent")) == len(notes.of("on_settled")) == 1


async def test_a_task_that_is_too_late_ends_once_on_both_sides(fabric, notes):
    with pytest.raises(TimeoutError):
        await fabric[0].ask(neuron="hanging", input={}, timeout_s=0.05)
    await fabric[1].stop(drain_s=1.0)

    assert notes.of("on_settled") == [("on_settled", "EXPIRED")]
    assert len(notes.of("on_end")) == len(notes.of("on_leave")) == 1


async def test_the_task_that_an_answer_leads_to_is_told_of_like_a_new_one(fabric, notes):
    caller = fabric[0]

    @caller.on_clarification
    async def answer(signal):
        await caller.respond_to_clarification(signal, answer="that one")

    output = await caller.ask(neuron="asking", input={})

    assert output == {"answer": "that one"}
    assert [what for _, what in notes.of("on_settled")] == ["CLARIFICATION", "AGENT_OUTPUT"]
    assert len(notes.of("on_sent")) == 2


async def test_a_task_that_is_left_to_its_worker_has_an_end_too(fabric, notes):
    await fabric[0].dispatch_task(neuron="hanging", input={})

    await fabric[0].stop()

    assert notes.of("on_settled") == [("on_settled", "ABANDONED")]
    await fabric[1].stop(drain_s=0.0)


async def test_a_tool_of_a_neuron_is_told(fabric, notes):
    await fabric[0].ask(neuron="using_a_tool", input={})

    assert notes.of("on_tool") == [("on_tool", "TOOL_CALL"), ("on_tool", "TOOL_RESULT")]


async def test_who_does_not_wait_is_told_before_it_is_sent(fabric):
    notes = SigningNotes()
    fabric[0]._observers.add(notes)

    await fabric[0].dispatch_task(neuron="doubled", input={"x": 1})
    async with await fabric[0].dispatch(neuron="doubled", input={"x": 1}) as pathway:
        await pathway.wait(5)

    assert notes.of("before_send") == [("before_send", False), ("before_send", True)]


async def test_what_cannot_be_sent_is_told_as_such(fabric):
    notes = SigningNotes()
    fabric[0]._observers.add(notes)

    with pytest.raises(SignalTooLarge):
        await fabric[0].ask(neuron="doubled", input={"x": "x" * 200_000})

    assert notes.told == [("before_send", True), ("on_not_sent", "SignalTooLarge")]


async def test_a_task_whose_answer_cannot_be_published_is_told_as_not_sent(fabric, monkeypatch):
    caller, notes = fabric[0], SigningNotes()
    question = await caller.dispatch_and_wait(neuron="asking", input={})
    caller._observers.add(notes)

    def refused(*_):
        raise SignalTooLarge(2, 1)

    monkeypatch.setattr(caller._publisher, "publish", refused)

    with pytest.raises(SignalTooLarge):
        await caller.respond_to_clarification(question, answer="that one")

    assert notes.told == [("before_send", True), ("on_not_sent", "SignalTooLarge")]


async def test_an_observer_that_raises_is_removed_and_the_other_stays(fabric, caplog):
    class Broken(TaskObserver):
        def on_sent(self, opened):
            raise ValueError("broken")

    notes = Notes()
    fabric[0]._observers.add(Broken())
    fabric[0]._observers.add(notes)

    with caplog.at_level(logging.ERROR, logger="cosmonapse"):
        for _ in range(2):
            assert (await fabric[0].ask(neuron="doubled", input={"x": 2}))["doubled"] == 4

    assert [each.getMessage() for each in caplog.records] == [
        "Broken raised, and is told nothing more about tasks"
    ]
    assert len(notes.of("on_sent")) == 2


async def test_an_observer_is_told_of_its_end_once(fabric, caplog):
    class Ending(TaskObserver):
        ended = 0

        def on_sent(self, opened):
            pass

        def on_removed(self):
            self.ended += 1
            raise ValueError("broken")

    removed, left = Ending(), Ending()
    for each in (removed, left):
        fabric[0]._observers.add(each)

    fabric[0]._observers.remove(removed)
    await fabric[0].stop()

    assert (removed.ended, left.ended) == (1, 1)
    assert caplog.messages == ["Ending raised at its removal"] * 2


async def test_the_meta_of_the_program_stays_as_it_was(fabric):
    given = {"tenant": "a"}
    fabric[0]._observers.add(SigningNotes())

    await fabric[0].ask(neuron="doubled", input={"x": 1}, meta=given)

    assert given == {"tenant": "a"}


async def test_without_observers_the_sides_have_none():
    class Side:
        observer = None

    side, notes = Side(), Notes()
    observers = Observers(side)
    observers.add(notes)
    assert side.observer is observers
    assert not observers.reads_signals

    observers.remove(notes)
    observers.remove(notes)

    assert side.observer is None
