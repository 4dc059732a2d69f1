"""A fabric for one test: who takes part, and that nobody outlives it."""

import asyncio

import pytest

from cosmonapse import AccessRefused, Axon, Dendrite, DendriteProtocolError
from cosmonapse.testing import Fabric

pytestmark = pytest.mark.asyncio


async def echo(input, context):
    return {"echo": input}


async def test_a_function_is_a_worker_and_a_caller_reaches_it(cosmo_fabric):
    worker = await cosmo_fabric.worker(echo, neuron_id="echo", capabilities=["text"])
    caller = await cosmo_fabric.dendrite()

    by_name = await caller.ask(neuron="echo", input=1)
    by_capability = await caller.ask(capabilities=["text"], input=2)

    assert (by_name, by_capability) == ({"echo": 1}, {"echo": 2})
    assert worker.role == "worker"


async def test_axons_that_are_ready_are_hosted_together(cosmo_fabric):
    await cosmo_fabric.worker(*(Axon(neuron_id=each, neuron_fn=echo) for each in ("a", "b")))
    caller = await cosmo_fabric.dendrite()

    found = await caller.find_neurons()

    assert sorted(each.neuron_id for each in found) == ["a", "b"]


async def test_settings_beside_an_axon_that_is_ready_are_refused(cosmo_fabric):
    with pytest.raises(TypeError, match=r"give them to Axon\(\.\.\.\)"):
        await cosmo_fabric.worker(Axon(neuron_id="a", neuron_fn=echo), concurrency=1)


async def test_a_block_stops_everyone_at_its_end_the_cut_off_at_once():
    async with Fabric() as fabric:
        made = [await fabric.worker(echo), await fabric.dendrite()]
        fabric.cut_off(made[0])

    assert ["stopped" in repr(each) for each in made] == [True, True]
    assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


async def test_closing_twice_is_allowed_and_one_that_does_not_stop_hides_no_other(monkeypatch):
    fabric = Fabric()
    caller, stubborn = await fabric.dendrite(), await fabric.dendrite()
    stop = Dendrite.stop

    async def fail(dendrite, **options):
        await stop(dendrite, **options)
        if dendrite is stubborn:
            raise RuntimeError("no")

    monkeypatch.setattr(Dendrite, "stop", fail)
    with pytest.raises(ExceptionGroup, match="did not stop"):
        await fabric.close()
    await fabric.close()

    assert "stopped" in repr(caller)


async def test_a_fabric_may_meet_on_a_synapse_with_sockets(cosmo_synapse):
    async with Fabric(cosmo_synapse.url) as fabric:
        await fabric.worker(echo)
        caller = await fabric.dendrite()

        output = await caller.ask(neuron="worker", input=1)

        with pytest.raises(DendriteProtocolError, match="stop and start it where it runs"):
            await fabric.restart_synapse()
    assert output == {"echo": 1}


async def test_what_is_no_synapse_is_told_at_once():
    with pytest.raises(TypeError, match="must be a Synapse or a URL, not 7070"):
        Fabric(7070)


async def test_two_fabrics_know_nothing_of_each_other(cosmo_fabric):
    await cosmo_fabric.worker(echo)

    async with Fabric() as other:
        found = await (await other.dendrite()).find_neurons()

    assert found == []


async def test_each_dendrite_of_a_fabric_with_rights_is_one_of_its_users():
    async def asked(input, context):
        return {"asked_by": context.task.origin}

    rights = {"ada": ["dispatch"], "ben": ["serve=invoice"]}
    async with Fabric(rights=rights) as fabric:
        await fabric.worker(asked, neuron_id="invoice", user="ben")
        ada = await fabric.dendrite(user="ada")

        reply = await ada.dispatch_and_wait(neuron="invoice", input={})
        with pytest.raises(AccessRefused, match="'ben' may not host an Axon of neuron 'other'"):
            await fabric.worker(echo, neuron_id="other", user="ben")
        fabric.cut_off(ada)
        await fabric.reconnect(ada)
        await fabric.restart_synapse()
        again = await ada.dispatch_and_wait(neuron="invoice", input={})

    assert [(each.output, each.origin) for each in (reply, again)] == [
        ({"asked_by": "ada"}, "ben")
    ] * 2


async def test_a_fabric_asks_who_a_dendrite_is_if_it_has_users_and_only_then():
    with pytest.raises(TypeError, match="leave synapse away"):
        Fabric("memory://x", rights={"ada": ["dispatch"]})
    async with Fabric(rights={"ada": ["dispatch"], "ben": ["serve"]}) as fabric:
        for user in (None, "eve"):
            with pytest.raises(ValueError, match=r"one of this fabric \(ada, ben\)"):
                await fabric.dendrite(user=user)
    async with Fabric() as fabric:
        with pytest.raises(ValueError, match="it has none"):
            await fabric.dendrite(user="ada")
