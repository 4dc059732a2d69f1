"""A timeout says what the Dendrite knows: the Synapse is away, or the Neuron waits for itself."""

import asyncio

import pytest

from cosmonapse import Axon, RetryStrategy, SynapseAway, SynapseUnreachable
from cosmonapse.dendrite.caller.absence import Absence
from cosmonapse.dendrite.caller.open_tasks import OpenTask
from cosmonapse.tasks import task_for
from support.processes import until

URL = "cosmo://host:7070"


def opened():
    return OpenTask.of(task_for("writer", None, {}, None, None, None), 5.0)


def test_a_task_that_waited_for_the_synapse_is_told_with_url_and_seconds_and_may_be_repeated():
    absence, task = Absence(URL), opened()
    absence.begin(10.0)
    absence.wait(task.task)

    code, why = absence.judge(task, 17.0)
    error = absence.error(task, 17.0)

    assert code == "SYNAPSE_AWAY"
    assert why == f"the Synapse at {URL} has been away for 7 s"
    assert isinstance(error, SynapseUnreachable)
    assert isinstance(error, TimeoutError)
    assert (error.url, error.away_s) == (URL, 7.0)
    assert str(error).startswith(why)
    assert "neuron 'writer'" in str(error)


def test_a_task_that_left_before_the_absence_may_have_run():
    absence, task = Absence(URL), opened()
    absence.wait(task.task)
    absence.begin(10.0)

    code, why = absence.judge(task, 12.0)

    assert code == "EXPIRED"
    assert "away for 2 s" in why
    assert "may have run" in why


def test_a_task_that_waited_while_the_synapse_refused_is_told_so():
    absence, task = Absence(URL), opened()
    absence.begin(10.0, "disconnected")
    absence.begin(11.0, "refused: revoked")
    absence.wait(task.task)

    code, why = absence.judge(task, 14.0)

    assert code == "SYNAPSE_AWAY"
    assert "away for 4 s (refused: revoked)" in why
    assert "(refused: revoked), and the TASK" in str(absence.error(task, 14.0))


def test_a_refusal_is_forgotten_once_the_synapse_is_there():
    absence, task = Absence(URL), opened()
    absence.begin(10.0, "refused: revoked")
    assert absence.end(12.5) == 2.5
    absence.begin(20.0, "disconnected")

    assert "refused" not in absence.judge(task, 22.0)[1]


def test_while_the_synapse_is_there_nothing_is_said_of_it():
    absence, task = Absence(URL), opened()
    absence.begin(1.0)
    absence.wait(task.task)
    absence.end(1.5)

    assert absence.judge(task, 2.0) is None
    assert absence.end(3.0) is None


@pytest.mark.asyncio
async def test_a_strategy_repeats_a_task_that_never_left_and_passes_its_error_on():
    error, numbers = SynapseAway(URL, 7.0, "the TASK"), []

    async def attempt(number, timeout_s):
        numbers.append(number)
        raise error

    with pytest.raises(SynapseAway) as caught:
        await RetryStrategy(max_attempts=3, backoff=0.0).run(attempt, 60.0)

    assert caught.value is error
    assert numbers == [1, 2, 3]


async def asks_itself(input, context):
    if input.get("depth"):
        return {}
    return await context.ask(neuron="worker", input={"depth": 1}, timeout_s=input["for_s"])


def blocks_itself(input, context):
    if input.get("depth"):
        return {}
    return context.ask(neuron="worker", input={"depth": 1}, timeout_s=input["for_s"])


@pytest.mark.asyncio
@pytest.mark.parametrize("neuron_fn", [asks_itself, blocks_itself])
async def test_a_neuron_that_waits_for_its_own_full_axon_is_told_so(neuron_fn, serve, caplog):
    caller = await serve(neuron_fn, concurrency=1)

    reply = await caller.dispatch_and_wait(neuron="worker", input={"for_s": 0.05})

    assert reply.payload["code"] == "NEURON_EXCEPTION"
    message = reply.payload["message"]
    assert message.startswith("TimeoutError: no reply from neuron 'worker'")
    assert "a Neuron of Axon worker (concurrency=1) waits for a task of the same Axon" in message
    assert "a deadlock" in message
    assert "a deadlock" in caplog.text


@pytest.mark.asyncio
async def test_a_deadlock_that_its_caller_ends_is_in_the_log_of_the_worker(serve, caplog):
    caller = await serve(asks_itself, concurrency=1)

    with pytest.raises(TimeoutError):
        await caller.ask(neuron="worker", input={"for_s": 60.0}, timeout_s=0.1)

    await until(lambda: "a deadlock" in caplog.text)


@pytest.mark.asyncio
async def test_a_task_that_only_waited_for_a_place_is_told_so(join):
    async def held(input, context):
        await asyncio.Event().wait()

    dendrite = await join(Axon(neuron_id="worker", neuron_fn=held, concurrency=1)).__aenter__()
    first = asyncio.create_task(dendrite.ask(neuron="worker", input={}, timeout_s=60.0))
    await until(lambda: dendrite._inbox.load("worker") == (1, 0))

    with pytest.raises(TimeoutError, match=r"waited for a place of Axon worker.*raise concurrency"):
        await dendrite.ask(neuron="worker", input={}, timeout_s=0.05)

    first.cancel()
