"""The task around the calling code, in everything that a Neuron awaits, starts and calls."""

import asyncio
import logging

import pytest

from cosmonapse import Axon, Dendrite, MemorySynapse
from cosmonapse.telemetry import current_trace

pytestmark = pytest.mark.asyncio


def around():
    return [current_trace.current_trace_id(), current_trace.current_neuron()]


async def on_the_loop(value, context):
    async def child():
        return around()

    return {
        "here": around(),
        "in a task": await asyncio.create_task(child()),
        "in a thread": await asyncio.to_thread(around),
    }


def in_a_thread(value, context):
    return {"here": around()}


async def streaming(value, context):
    yield "a thought"
    yield {"here": around()}


@pytest.fixture
def followed(monkeypatch):
    monkeypatch.setattr(current_trace, "is_followed", False)
    current_trace.follow()


async def asked(neuron_fn, count=1):
    """Return the trace ids and what a Neuron saw around itself, task for task."""
    axon = Axon(neuron_id="seer", neuron_fn=neuron_fn)
    async with Dendrite(synapse=MemorySynapse(), dendrite_id="both") as dendrite:
        await dendrite.add_axon(axon)
        return [
            (signal.trace_id, signal.output)
            for signal in await asyncio.gather(
                *(dendrite.dispatch_and_wait(neuron="seer", input={}) for _ in range(count))
            )
        ]


@pytest.mark.parametrize("neuron_fn", [on_the_loop, in_a_thread, streaming])
async def test_each_task_sees_itself_everywhere(neuron_fn, followed):
    found = await asked(neuron_fn, count=20)

    assert len({trace_id for trace_id, _ in found}) == 20
    for trace_id, output in found:
        assert set(map(tuple, output.values())) == {(trace_id, "seer")}
    assert around() == [None, None]


async def test_nothing_is_set_while_nobody_follows(monkeypatch):
    monkeypatch.setattr(current_trace, "is_followed", False)

    [(_, output)] = await asked(in_a_thread)

    assert output == {"here": [None, None]}


class Noting(logging.Handler):
    """Keeps the text of each record, and the task around the call."""

    def __init__(self):
        super().__init__()
        self.noted = []

    def emit(self, record):
        self.noted.append((record.getMessage(), *around()))


async def test_a_raised_error_is_logged_with_its_task(followed, monkeypatch):
    handler = Noting()
    monkeypatch.setattr(logging.getLogger("cosmonapse"), "handlers", [handler])

    def fails(value, context):
        raise ValueError("no")

    async with Dendrite(synapse=MemorySynapse(), dendrite_id="both") as dendrite:
        await dendrite.add_axon(Axon(neuron_id="seer", neuron_fn=fails))
        signal = await dendrite.dispatch_and_wait(neuron="seer", input={})

    [(text, *task)] = handler.noted
    assert "raised ValueError" in text
    assert task == [signal.trace_id, "seer"]


async def test_a_line_about_a_task_from_where_no_neuron_runs_names_it_too(caplog):
    async with Dendrite(synapse=MemorySynapse(), dendrite_id="both") as dendrite:
        await dendrite.add_axon(Axon(neuron_id="seer", neuron_fn=in_a_thread))

        @dendrite.on_agent_output
        def fails(signal):
            raise ValueError("no")

        signal = await dendrite.dispatch_and_wait(neuron="seer", input={})

    [record] = caplog.records
    assert "handler" in record.getMessage()
    assert record.trace_id == signal.trace_id
