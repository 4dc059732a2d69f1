"""Who is there, as the Synapse's tables say."""

import asyncio

import pytest

from cosmonapse import Axon, MemorySynapse
from support.processes import until

pytestmark = pytest.mark.asyncio


async def echo(input, context):
    return {"echo": input}


def axon(neuron_id="worker", neuron_fn=echo, **settings):
    return Axon(neuron_id=neuron_id, neuron_fn=neuron_fn, **settings)


def ids(records):
    return sorted(record.neuron_id for record in records)


async def test_neurons_are_found_by_what_they_offer(join):
    worker = join(axon("a", capabilities=["chat", "fr"]), axon("b", capabilities=["chat"]))
    await worker.start()

    assert ids(await worker.find_neurons("chat")) == ["a", "b"]
    assert ids(await worker.find_neurons("fr")) == ["a"]
    assert await worker.find_neurons("diving") == []
    assert ids(await worker.find_neurons()) == ids(await worker.registry_snapshot()) == ["a", "b"]


async def test_a_record_says_who_hosts_it_and_what_it_said_of_itself(join):
    worker = join(
        axon(capabilities=["fr", "chat"], version="1.2"), dendrite_id="host", role="worker"
    )
    await worker.start()

    (record,) = await worker.registry_snapshot()

    assert (record.neuron_id, record.dendrite_id, record.state) == ("worker", "host", "alive")
    assert record.capabilities == ("chat", "fr")
    assert (record.version, record.role) == ("1.2", "worker")
    assert record.instance == worker._transport.instance.hex()


async def test_replicas_have_a_record_each(join):
    replicas = [join(axon(), dendrite_id=f"host-{n}") for n in range(3)]
    for each in replicas:
        await each.start()

    records = await replicas[0].find_neurons()

    assert ids(records) == ["worker"] * 3
    assert sorted(record.dendrite_id for record in records) == ["host-0", "host-1", "host-2"]
    assert len({record.instance for record in records}) == 3


async def test_a_record_shows_how_much_an_axon_has_to_do(join):
    release = asyncio.Event()

    async def gated(input, context):
        await release.wait()

    worker = join(axon(neuron_fn=gated, concurrency=2), heartbeat_s=0.01)
    await worker.start()
    asked = [asyncio.create_task(worker.ask(neuron="worker", input=0)) for _ in range(5)]
    await until(lambda: worker._inbox.load("worker") == (2, 3))

    async def record():
        return (await worker.registry_snapshot())[0]

    assert (await record()).open == 5
    while (await record()).queued != 3:
        pass
    assert (await record()).running == 2
    release.set()
    await asyncio.gather(*asked)
    assert (await record()).open == 0


async def test_an_axon_that_left_is_in_no_record(join):
    worker, other = join(axon("a"), axon("b")), join(axon("c"))
    await worker.start()
    await other.start()

    await worker.detach_axon("a")
    after_detaching = await other.find_neurons()
    await worker.stop()

    assert ids(after_detaching) == ["b", "c"]
    assert ids(await other.find_neurons()) == ["c"]


@pytest.mark.parametrize("count", [99, 100, 101, 200, 201, 350])
async def test_many_axons_are_all_found_each_once(count, join):
    worker = join(*(axon(f"n{n}", capabilities=["all", f"c{n % 2}"]) for n in range(count)))
    await worker.start()

    assert ids(await worker.find_neurons()) == sorted(f"n{n}" for n in range(count))
    assert len(await worker.find_neurons("all")) == count
    assert len(await worker.find_neurons("c0")) == (count + 1) // 2


async def test_whoever_stays_is_found_even_if_another_leaves_between_two_pages(join):
    worker = join(*(axon(f"n{n}") for n in range(150)))
    await worker.start()
    caller = join()
    await caller.start()
    asked = caller._transport._client.queries._asked

    async def then_one_leaves(body, **options):
        page = await asked(body, **options)
        if "n0" in [each.neuron_id for each in worker._inbox.axons]:
            await worker.detach_axon("n0")
        return page

    caller._transport._client.queries._asked = then_one_leaves

    assert {f"n{n}" for n in range(1, 150)} <= set(ids(await caller.find_neurons()))


async def test_namespaces_are_kept_apart(join):
    red, blue = join(axon("red"), namespace="red"), join(axon("blue"), namespace="blue")
    await red.start()
    await blue.start()

    assert ids(await red.find_neurons()) == ["red"]
    assert ids(await blue.find_neurons()) == ["blue"]
    with pytest.raises(TimeoutError):
        await blue.wait_for_neuron(neuron="red", timeout_s=0.02)


async def test_synapses_are_kept_apart(join):
    worker, other = join(axon()), join(synapse=MemorySynapse())
    await worker.start()
    await other.start()

    assert await other.find_neurons() == []


@pytest.mark.parametrize("capability", [7, "x" * 5_000])
async def test_what_is_no_capability_is_refused_at_once(capability, join):
    dendrite = join()
    await dendrite.start()

    with pytest.raises(ValueError, match="capability"):
        await dendrite.find_neurons(capability)


async def test_several_questions_at_once_get_their_own_answers(join):
    worker = join(*(axon(f"n{n}", capabilities=[f"c{n}"]) for n in range(30)))
    await worker.start()

    answers = await asyncio.gather(*(worker.find_neurons(f"c{n}") for n in range(30)))

    assert [ids(each) for each in answers] == [[f"n{n}"] for n in range(30)]


# -- waiting for a neuron ------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", [{"neuron": "worker"}, {"capabilities": ["chat", "fr"]}])
async def test_a_neuron_that_is_there_already_is_found_at_once(wanted, join):
    worker = join(axon(capabilities=["fr", "chat", "de"]))
    await worker.start()

    record = await worker.wait_for_neuron(**wanted, timeout_s=5.0)

    assert record.neuron_id == "worker"


@pytest.mark.parametrize("wanted", [{"neuron": "worker"}, {"capabilities": ["chat"]}])
async def test_a_neuron_that_comes_later_is_found_when_it_comes(wanted, join):
    caller, worker = join(), join(axon("other"))
    await caller.start()
    await worker.start()
    waiting = asyncio.create_task(caller.wait_for_neuron(**wanted, timeout_s=5.0))
    await caller.find_neurons()
    assert not waiting.done()

    await worker.add_axon(axon(capabilities=["chat"]))

    assert (await waiting).neuron_id == "worker"


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ({"neuron": "nobody"}, "neuron 'nobody'"),
        ({"capabilities": ["chat", "fr"]}, "chat, fr"),
    ],
)
async def test_a_neuron_that_never_comes_is_a_timeout_that_names_it(wanted, name, join):
    worker = join(axon(capabilities=["chat"]))
    await worker.start()

    with pytest.raises(TimeoutError, match=rf"no live Axon serves {name} within 0\.02 s"):
        await worker.wait_for_neuron(**wanted, timeout_s=0.02)


@pytest.mark.parametrize(
    "wanted", [{}, {"neuron": "a", "capabilities": ["b"]}, {"neuron": "a b"}, {"capabilities": []}]
)
async def test_waiting_for_what_is_no_address_is_refused_at_once(wanted, join):
    dendrite = join()
    await dendrite.start()

    with pytest.raises(ValueError, match=r"."):
        await dendrite.wait_for_neuron(**wanted, timeout_s=5.0)


async def test_waiting_leaves_no_handler_behind_however_it_ends(join):
    worker = join(axon())
    await worker.start()
    before = set(worker._subscriptions._runners)
    await worker.wait_for_neuron(neuron="worker")
    with pytest.raises(TimeoutError):
        await worker.wait_for_neuron(neuron="nobody", timeout_s=0.02)
    waiting = asyncio.create_task(worker.wait_for_neuron(neuron="nobody"))
    await worker.find_neurons()
    waiting.cancel()
    await asyncio.wait([waiting])

    assert set(worker._subscriptions._runners) == before
