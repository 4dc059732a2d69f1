"""Somebody who only listens: every type, each Signal once, through the Synapse in this process."""

import asyncio

import pytest

from cosmonapse import Axon, Dendrite, MemorySynapse, SignalType
from cosmonapse.doppler.formatter import json_line
from cosmonapse.doppler.observer import Listener, Observer
from cosmonapse.errors import AccessRefused, SynapseUnreachable
from cosmonapse.synapse import synapse_from_url
from support.observed import NOBODY, observed

MISSING = "memory://nobody-made-it"


def listener(signals, missed=None, links=None):
    return Listener(
        signals.append,
        (missed if missed is not None else []).append,
        lambda *link: (links if links is not None else []).append(link),
    )


def test_each_signal_is_handed_on_once():
    signals, twice = [], observed()
    ears = listener(signals)

    for _ in range(2):
        ears.on_heard(13, b"", NOBODY, NOBODY, [twice.body])

    assert signals == [twice]
    assert ears.counts["again"] == 1


def test_what_is_no_signal_is_counted(caplog):
    signals = []
    ears = listener(signals)

    for body in (b"", b"\xc1", b"\x90"):
        ears.on_heard(1, b"", NOBODY, NOBODY, [body])

    assert (signals, ears.counts["bad_signal"]) == ([], 3)
    assert len(caplog.records) == 1


def test_the_link_is_reported():
    links = []
    ears = listener([], links=links)

    ears.on_welcomed(True)
    ears.on_away("gone")

    assert links == [(True, None), (False, "gone")]


async def observe(work, **settings):
    """Run `work` on a Dendrite beside an observer, and return the Signals that it received."""
    synapse, signals, came = MemorySynapse(), [], asyncio.Event()

    class Ears(Listener):
        def on_heard(self, *message):
            super().on_heard(*message)
            came.set()

    ears = Ears(signals.append, lambda count: None, lambda *link: None)
    observer = Observer(synapse.url, "x", ears, **settings)
    observer.synapse = synapse
    await observer.open(5)

    async def echo(input, context):
        await context.think("hm")
        return input

    async with Dendrite(synapse=synapse, namespace="x") as dendrite:
        await dendrite.add_axon(Axon(neuron_id="echo", neuron_fn=echo))
        made = await work(dendrite)
    async with asyncio.timeout(5):
        while not signals or signals[-1].signal.type is not made:
            came.clear()
            await came.wait()
    roster = await observer.roster(5)
    await observer.close()
    return signals, roster


@pytest.mark.asyncio
async def test_every_type_is_heard():
    async def work(dendrite):
        await dendrite.dispatch_and_wait(neuron="echo", input={})
        return SignalType.DEREGISTER

    signals, roster = await observe(work)

    kinds = [each.signal.type for each in signals if each.signal.type is not SignalType.HEARTBEAT]
    assert kinds == ["REGISTER", "TASK", "THOUGHT_DELTA", "AGENT_OUTPUT", "DEREGISTER"]
    assert roster == []


@pytest.mark.asyncio
async def test_only_the_types_that_are_asked_for_are_sent():
    async def work(dendrite):
        await dendrite.dispatch_and_wait(neuron="echo", input={})
        return SignalType.AGENT_OUTPUT

    signals, _ = await observe(work, types=[SignalType.AGENT_OUTPUT])

    assert [each.signal.type for each in signals] == ["AGENT_OUTPUT"]


@pytest.mark.asyncio
async def test_of_one_trace_every_type_is_heard_and_of_others_none():
    trace = observed().signal.trace_id

    async def work(dendrite):
        await dendrite.dispatch_and_wait(neuron="echo", input={})
        await dendrite.dispatch_and_wait(neuron="echo", input={}, trace_id=trace)
        return SignalType.AGENT_OUTPUT

    signals, _ = await observe(work, trace_id=trace)

    assert [each.signal.type for each in signals] == ["TASK", "THOUGHT_DELTA", "AGENT_OUTPUT"]
    assert {each.signal.trace_id for each in signals} == {trace}


@pytest.mark.asyncio
async def test_before_it_has_joined_it_knows_nothing():
    observer = Observer(MISSING, "x", listener([]))

    with pytest.raises(SynapseUnreachable):
        await observer.roster(1)
    assert synapse_from_url(MISSING).url == observer.synapse.url
    await observer.close()


@pytest.mark.asyncio
async def test_who_watches_sees_the_key_behind_each_signal_and_others_are_refused():
    synapse = MemorySynapse(
        rights={"ada": ["member"], "ben": ["serve"], "eve": ["watch"], "cal": ["dispatch"]}
    )
    signals, came = [], asyncio.Event()

    class Ears(Listener):
        def on_heard(self, *heard):
            super().on_heard(*heard)
            if signals and signals[-1].signal.type is SignalType.AGENT_OUTPUT:
                came.set()

    def observer(user, *types):
        made = Observer("memory://x", "default", Ears(signals.append, print, print), types=types)
        made.synapse = synapse.as_user(user)
        return made

    kinds = SignalType.TASK, SignalType.AGENT_OUTPUT
    with pytest.raises(AccessRefused, match=r"'cal' may not listen to .*--may \+watch"):
        await observer("cal").open(5.0)
    watching = observer("eve", *kinds)
    await watching.open(5.0)
    worker = Dendrite(synapse=synapse.as_user("ben"))
    worker.attach_axon(Axon(neuron_id="worker", neuron_fn=lambda input, context: {}))
    async with worker, Dendrite(synapse=synapse.as_user("ada")) as caller:
        await caller.ask(neuron="worker", input={})
        await came.wait()
    await watching.close()

    assert [each.signal.origin for each in signals] == ["ada", "ben"]
    assert '"origin": "ben"' in json_line(signals[-1])
