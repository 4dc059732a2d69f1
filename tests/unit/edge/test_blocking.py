"""BlockingDendrite in one process, on a Synapse in memory."""

import asyncio
import gc
import signal
import threading
import time

import pytest

from cosmonapse import (
    Axon,
    BlockingDendrite,
    Clarification,
    DendriteProtocolError,
    NeedsAnswer,
    NeuronError,
    SignalType,
)
from support.signals import on_another_thread

TIMEOUT_S = 5.0


class Neurons:
    """What the tests ask."""

    def __init__(self):
        self.cancelled = threading.Event()

    async def echo(self, input, context):
        return {"echo": input}

    async def fails(self, input, context):
        raise NeuronError("NO_GOOD", "why")

    async def asks(self, input, context):
        if "clarification" in input:
            return {"answer": input["clarification"]["answer"]}
        raise Clarification("Which one?")

    async def held(self, input, context):
        yield "one"
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    async def words(self, input, context):
        for word in input["words"]:
            yield word
        if "error" in input:
            raise NeuronError("NO_GOOD", input["error"])


@pytest.fixture
def neurons():
    return Neurons()


@pytest.fixture
def dendrite(neurons):
    names = ("echo", "fails", "asks", "held", "words")
    axons = [Axon(neuron_id=name, neuron_fn=getattr(neurons, name)) for name in names]
    with BlockingDendrite("memory://blocking", dendrite_id="test", axons=axons) as running:
        yield running


def test_the_verbs_block_and_return_what_the_dendrite_returns(dendrite):
    reply = dendrite.dispatch_and_wait(neuron="echo", input={"n": 1})

    assert reply.output == {"echo": {"n": 1}}
    assert dendrite.ask(neuron="echo", input=2) == {"echo": 2}
    assert dendrite.dispatch_task(neuron="echo", input=3).type is SignalType.TASK
    assert dendrite.wait_for_neuron(neuron="echo").neuron_id == "echo"
    assert {each.neuron_id for each in dendrite.registry_snapshot()} >= {"echo", "held"}


def test_the_verbs_raise_what_the_dendrite_raises(dendrite):
    with pytest.raises(NeuronError, match="why"):
        dendrite.ask(neuron="fails", input={})
    with pytest.raises(NeedsAnswer, match="Which one"):
        dendrite.ask(neuron="asks", input={})
    with pytest.raises(TimeoutError, match="'held'"):
        dendrite.ask(neuron="held", input={}, timeout_s=0.01)
    with pytest.raises(ValueError, match="neuron= or capabilities="):
        dendrite.ask(input={})


def test_axons_come_and_go_while_it_runs(dendrite, neurons):
    dendrite.add_axon(Axon(neuron_id="more", neuron_fn=neurons.echo))
    assert dendrite.ask(neuron="more", input=1) == {"echo": 1}

    dendrite.detach_axon("more")

    with pytest.raises(NeuronError, match="NO_SUCH_NEURON"):
        dendrite.ask(neuron="more", input=1)


def test_a_verb_that_is_not_in_the_table_blocks_too(dendrite):
    sent = dendrite.emit_plan(steps=["one", "two"])

    assert (sent.type, sent.payload["steps"]) == (SignalType.PLAN, ["one", "two"])


@pytest.mark.parametrize("name", ["dispatch", "observe_pathway"])
def test_what_belongs_to_a_loop_says_what_to_use(name, dendrite):
    with pytest.raises(AttributeError, match=r"stream\(\)"):
        getattr(dendrite, name)


@pytest.mark.parametrize("name", ["nonsense", "_check_running_", "__wrapped__"])
def test_what_is_no_verb_is_no_attribute(name, dendrite):
    assert not hasattr(dendrite, name)


# -- decorators ----------------------------------------------------------------------------------


def test_a_plain_handler_added_while_it_runs_may_answer_a_question(dendrite):
    @dendrite.on_clarification
    def _answer(sig):
        dendrite.respond_to_clarification(sig, answer="the red one")

    assert dendrite.ask(neuron="asks", input={}) == {"answer": "the red one"}
    assert dendrite.off(_answer) == 1


def test_a_handler_added_before_the_start_sees_the_first_signal():
    seen = threading.Event()
    dendrite = BlockingDendrite("memory://early")
    dendrite.attach_axon(Axon(neuron_id="echo", neuron_fn=lambda input, context: input))

    @dendrite.on_agent_output(neuron="echo")
    def _output(sig):
        seen.set()

    with dendrite:
        dendrite.ask(neuron="echo", input={})

        assert seen.wait(TIMEOUT_S)


def test_a_blocking_call_on_its_own_loop_is_refused(dendrite):
    caught, done = [], threading.Event()

    @dendrite.on_agent_output
    async def _output(sig):
        for call in (lambda: dendrite.ask(neuron="echo", input={}), dendrite.stop):
            try:
                call()
            except DendriteProtocolError as error:
                caught.append(str(error))
        done.set()

    dendrite.ask(neuron="echo", input={})

    assert done.wait(TIMEOUT_S)
    assert all("wait for itself" in text for text in caught)
    assert len(caught) == 2


# -- streams -------------------------------------------------------------------------------------


def test_a_stream_gives_the_texts_and_the_output(dendrite):
    stream = dendrite.stream(neuron="words", input={"words": ["a", "b"]})

    with pytest.raises(DendriteProtocolError, match="read it to the end first"):
        _ = stream.output
    assert list(stream) == ["a", "b"]
    assert stream.output == {"response": "ab"}
    assert stream.reply.type is SignalType.AGENT_OUTPUT
    assert list(stream) == []


def test_a_stream_raises_what_the_task_ended_with_after_its_texts(dendrite):
    stream = dendrite.stream(neuron="words", input={"words": ["a"], "error": "half way"})

    assert next(stream) == "a"
    with pytest.raises(NeuronError, match="half way"):
        next(stream)
    assert stream.reply.type is SignalType.ERROR


def test_a_stream_that_takes_too_long_is_a_timeout(dendrite, neurons):
    with pytest.raises(TimeoutError, match="trc_"):
        list(dendrite.stream(neuron="held", input={}, timeout_s=0.05))

    assert neurons.cancelled.wait(TIMEOUT_S)


def test_the_signals_of_a_stream_can_be_read_one_by_one(dendrite):
    with dendrite.stream(neuron="words", input={"words": ["a"]}) as stream:
        types = [signal.type for signal in stream.signals()]

    assert types == [SignalType.THOUGHT_DELTA, SignalType.AGENT_OUTPUT]


def test_leaving_the_block_of_a_stream_cancels_its_task(dendrite, neurons):
    with dendrite.stream(neuron="held", input={}) as stream:
        assert next(stream) == "one"

    assert neurons.cancelled.wait(TIMEOUT_S)
    assert stream.reply is None


def test_a_stream_that_nobody_holds_any_more_is_cancelled(dendrite, neurons):
    for text in dendrite.stream(neuron="held", input={}):
        assert text == "one"
        break
    gc.collect()

    assert neurons.cancelled.wait(TIMEOUT_S)


def test_a_look_ahead_takes_nothing_away(dendrite):
    stream = dendrite.stream(neuron="words", input={"words": [], "error": "at once"})
    other = dendrite.stream(neuron="words", input={"words": ["a"]})

    assert stream.refusal(TIMEOUT_S).payload["message"] == "at once"
    assert other.refusal(TIMEOUT_S) is None
    assert [each.type for each in stream.signals()] == [SignalType.ERROR]
    assert list(other) == ["a"]


# -- life ----------------------------------------------------------------------------------------


def test_it_is_used_between_start_and_stop_only():
    dendrite = BlockingDendrite("memory://life")

    with pytest.raises(DendriteProtocolError, match="is not started"):
        dendrite.ask(neuron="echo", input={})
    with dendrite, pytest.raises(DendriteProtocolError, match="started before"):
        dendrite.start()
    with pytest.raises(DendriteProtocolError, match="is stopped"):
        dendrite.ask(neuron="echo", input={})
    dendrite.stop()


def test_it_serves_on_another_thread_until_it_is_stopped():
    dendrite = BlockingDendrite("memory://serving")
    dendrite.attach_axon(Axon(neuron_id="echo", neuron_fn=lambda input, context: input))
    registered = threading.Event()
    dendrite.on_register_signal(lambda sig: registered.set())
    server = threading.Thread(target=dendrite.serve)

    server.start()
    assert registered.wait(TIMEOUT_S)
    assert dendrite.ask(neuron="echo", input={"n": 1}) == {"n": 1}
    dendrite.stop()
    server.join(TIMEOUT_S)

    assert not server.is_alive()
    with pytest.raises(DendriteProtocolError, match="is stopped"):
        dendrite.serve()


def test_it_hears_a_signal_that_ends_no_system_call_of_the_thread_that_serves():
    dendrite = BlockingDendrite("memory://serving")
    too_late = threading.Timer(TIMEOUT_S, dendrite.stop)
    too_late.start()
    began_at_s = time.perf_counter()

    with on_another_thread(signal.SIGTERM):
        dendrite.serve()

    assert time.perf_counter() - began_at_s < TIMEOUT_S - 1.0
    too_late.cancel()


def test_whoever_waits_while_it_stops_is_told(dendrite, neurons):
    stream = dendrite.stream(neuron="held", input={})
    assert next(stream) == "one"
    caught = []

    def read():
        try:
            list(stream)
        except Exception as error:  # noqa: BLE001  # whatever it is, the test looks at it
            caught.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    dendrite.stop(drain_s=0.0)
    reader.join(TIMEOUT_S)

    (error,) = caught  # the CANCELLED of the task, or that all is over, if that came first
    assert isinstance(error, NeuronError | DendriteProtocolError)


def test_a_stopped_dendrite_leaves_no_thread(neurons):
    before = set(threading.enumerate())

    with BlockingDendrite("memory://thread") as dendrite:
        (own,) = set(threading.enumerate()) - before
        assert repr(dendrite) == "BlockingDendrite(dendrite, default, running)"

    assert not own.is_alive()
