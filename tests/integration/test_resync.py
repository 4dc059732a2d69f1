"""A Synapse that is killed under load: every task is answered, and nothing runs twice."""

import asyncio
import signal
from collections import Counter

import pytest

from support.processes import axon, free_ports, measured
from support.watching import about, deltas, kept

CALLERS, OUTSTANDING, RESTARTS = 4, 64, 5
WORK_S, LOAD_S, TIMEOUT_S = 0.02, 0.4, 30.0


class Load:
    """Callers that ask without a pause until they are told to stop.

    Attributes:
        ends: How many tasks ended how.
        numbers: The number of each task that was sent.
    """

    def __init__(self, callers, pieces=0):
        self.ends = Counter()
        self.numbers = []
        self._goes_on = True
        self._pieces = pieces
        self._running = [
            asyncio.create_task(self._ask(caller)) for caller in callers for _ in range(OUTSTANDING)
        ]

    async def _ask(self, caller):
        while self._goes_on:
            number = len(self.numbers)
            self.numbers.append(number)
            work = {"n": number, "for_s": WORK_S, "pieces": self._pieces}
            try:
                reply = await caller.dispatch_and_wait(
                    neuron="worker", input=work, timeout_s=TIMEOUT_S
                )
            except TimeoutError:
                self.ends["timeout"] += 1
            else:
                self.ends[reply.payload.get("code", "answered")] += 1

    async def stop(self):
        self._goes_on = False
        await asyncio.gather(*self._running)


async def kill_and_restart(children, synapse, port):
    synapse.send(signal.SIGKILL)
    await asyncio.to_thread(synapse.wait)
    synapse, _ = await asyncio.to_thread(children.synapse, port=port)
    return synapse


def runs_of(workers):
    """Return how often each task was started, as the workers say."""
    return Counter(int(n) for worker in workers for n in worker.lines("started", 0))


async def start_callers(join, url):
    callers = [join(f"caller-{n}", url=url) for n in range(CALLERS)]
    for caller in callers:
        await caller.start()
    return callers


@pytest.mark.asyncio
async def test_five_kills_under_load_lose_no_task_and_run_none_twice(namespace, join, children):
    port = free_ports()
    synapse, url = children.synapse(port=port)
    workers = [children.worker(url, namespace, axon("logged")) for _ in range(3)]
    callers = await start_callers(join, url)
    load = Load(callers)

    for _ in range(RESTARTS):
        await asyncio.sleep(LOAD_S)  # the load goes on that long
        synapse = await kill_and_restart(children, synapse, port)
    await asyncio.sleep(LOAD_S)  # the load goes on that long
    await load.stop()

    runs = runs_of(workers)
    again = sum(caller.counts.get("sent_again", 0) for caller in callers)
    measured(f"{len(load.numbers)} tasks, {again} of them sent again, restarts", RESTARTS)
    assert load.ends == {"answered": len(load.numbers)}
    assert set(runs) == set(load.numbers)
    assert max(runs.values()) == 1


@pytest.mark.asyncio
async def test_streams_are_complete_and_in_order_across_a_kill(namespace, join, children):
    port = free_ports()
    synapse, url = children.synapse(port=port)
    children.worker(url, namespace, axon("logged", concurrency=256))
    caller = join("caller", url=url)
    seen = kept(caller.on_thought_delta)
    async with caller:
        asked = [
            asyncio.create_task(
                caller.dispatch_and_wait(
                    neuron="worker",
                    input={"n": n, "for_s": 2.0, "pieces": 50},
                    timeout_s=TIMEOUT_S,
                )
            )
            for n in range(40)
        ]
        for _ in range(2):
            await asyncio.sleep(LOAD_S)  # the streams go on that long
            synapse = await kill_and_restart(children, synapse, port)
        replies = await asyncio.gather(*asked)

        assert caller.counts.get("gap.replies", 0) == 0

    for reply in replies:
        pieces = [f"{n} " for n in range(50)] + ["."]
        assert deltas(about(seen, reply.trace_id)) == pieces
        assert reply.output == {"response": "".join(pieces)}


@pytest.mark.asyncio
async def test_a_worker_killed_with_its_synapse_leaves_nobody_in_the_dark(
    namespace, join, children
):
    port = free_ports()
    synapse, url = children.synapse(port=port)
    workers = [children.worker(url, namespace, axon("logged")) for _ in range(3)]
    callers = await start_callers(join, url)
    load = Load(callers)

    await asyncio.sleep(LOAD_S)  # the load goes on that long
    workers[0].send(signal.SIGKILL)
    synapse = await kill_and_restart(children, synapse, port)
    await asyncio.sleep(LOAD_S)  # the load goes on that long
    await load.stop()

    runs = runs_of(workers)
    measured(f"{dict(load.ends)}", LOAD_S)
    assert load.ends.keys() <= {"answered", "TASK_LOST", "WORKER_LOST"}
    assert load.ends["TASK_LOST"] + load.ends["WORKER_LOST"] > 0
    assert load.ends["answered"] > 0
    assert max(runs.values()) == 1
