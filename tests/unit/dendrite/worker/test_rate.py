"""An Axon with a rate limit: who begins when, who waits, and who is refused."""

import asyncio

import pytest

from cosmonapse import Axon, NeuronError, Signal, SignalType
from cosmonapse.dendrite.watch.subscriptions import Subscriptions
from cosmonapse.dendrite.worker.inbox import Inbox
from cosmonapse.transport import Outcome
from support.processes import until
from support.watching import kept

pytestmark = pytest.mark.asyncio
INTERVAL_S = 600.0  # nobody waits for it: the tests move the clock of the loop on


@pytest.fixture
def limited(join, clock):
    """Start a worker of one task in ten minutes; return a caller, and the inputs it began with."""

    async def make(neuron_fn=None, **settings):
        begun = []

        async def note(input, context):
            begun.append(input)
            return input if neuron_fn is None else await neuron_fn(input, context)

        axon = Axon(neuron_id="worker", neuron_fn=note, rate_limit="1/10m", **settings)
        worker = await join(axon, dendrite_id="worker").__aenter__()
        caller = await join(dendrite_id="caller").__aenter__()
        caller.its_worker = worker
        return caller, begun

    return make


def asked(caller, number, **options):
    options = {"timeout_s": 10 * INTERVAL_S, **options}
    return asyncio.create_task(caller.ask(neuron="worker", input={"n": number}, **options))


async def queued(caller, count):
    """Return when so many tasks wait at the worker."""
    await until(lambda: caller.its_worker._inbox.load("worker")[1] == count)


async def test_tasks_begin_one_interval_apart_whatever_the_concurrency(limited, clock):
    caller, begun = await limited(concurrency=8)
    tasks = [asked(caller, n) for n in range(3)]
    await tasks[0]

    await queued(caller, 2)
    assert begun == [{"n": 0}]
    for n in (1, 2):
        clock.advance(INTERVAL_S)
        assert await tasks[n] == {"n": n}
        assert len(begun) == n + 1


async def test_who_comes_later_does_not_overtake_who_waits(limited, clock):
    caller, begun = await limited()
    first, second = asked(caller, 0), asked(caller, 1)
    await first
    await queued(caller, 1)

    clock.advance(INTERVAL_S)
    third = asked(caller, 2)
    await second

    assert begun == [{"n": 0}, {"n": 1}]
    clock.advance(INTERVAL_S)
    await third


async def test_over_the_queue_a_task_is_refused_with_the_rate(limited):
    caller, _ = await limited(max_queued=1)
    await asked(caller, 0)
    waiting = asked(caller, 1)
    await queued(caller, 1)

    with pytest.raises(NeuronError, match="at most 1/10m begin and 1 wait") as refused:
        await asked(caller, 2)

    assert refused.value.code == "OVERLOADED"
    assert INTERVAL_S - 5.0 < refused.value.retry_after_s <= INTERVAL_S
    waiting.cancel()


async def test_a_task_that_is_cancelled_while_it_waits_takes_no_token(limited, clock):
    caller, begun = await limited()
    await asked(caller, 0)
    cancelled = asked(caller, 1)
    await queued(caller, 1)
    cancelled.cancel()
    await queued(caller, 0)
    last = asked(caller, 2)
    await queued(caller, 1)

    clock.advance(INTERVAL_S)

    assert await last == {"n": 2}
    assert begun == [{"n": 0}, {"n": 2}]


async def test_a_task_that_expires_while_it_waits_says_that_the_rate_was_why(limited, join):
    async def echo(input, context):
        return input

    both = join(Axon(neuron_id="worker", neuron_fn=echo, rate_limit="1/10m"))
    async with both:
        await both.ask(neuron="worker", input={})

        with pytest.raises(TimeoutError, match=r"rate limit of Axon worker \(rate_limit='1/10m'\)"):
            await both.ask(neuron="worker", input={}, timeout_s=0.01)


async def test_draining_waits_for_who_waits_for_the_rate(limited, clock):
    caller, begun = await limited()
    await asked(caller, 0)
    second = asked(caller, 1)
    await queued(caller, 1)

    stopping = asyncio.create_task(caller.its_worker.stop(drain_s=10 * INTERVAL_S))
    for _ in range(50):
        await asyncio.sleep(0)
    assert not stopping.done()
    clock.advance(INTERVAL_S)

    await second
    await stopping
    assert begun == [{"n": 0}, {"n": 1}]


async def test_one_whose_queue_is_full_by_the_rate_makes_no_bid(limited, clock):
    caller, _ = await limited(max_queued=0, capabilities=["chat"])
    await asked(caller, 0)
    bids = kept(caller.on_signal(SignalType.BID))

    offering = asyncio.create_task(
        caller.dispatch_offer(input={}, capabilities=["chat"], deadline_ms=1000, timeout_s=60)
    )
    await until(lambda: caller.its_worker._bidder._tasks)
    await asyncio.sleep(0)  # it has begun to wait for half of the deadline
    clock.advance(0.6)
    await until(lambda: not caller.its_worker._bidder._tasks)  # it has decided
    clock.advance(30.0)

    with pytest.raises(TimeoutError):
        await offering
    assert bids == []


class Silent:
    """A transport that takes every reply."""

    instance = b"w" * 16
    max_signal_bytes = 1 << 20

    async def barrier(self, timeout_s):
        return True

    def send_reply(self, *reply):
        return Outcome.SENT


@pytest.fixture
def direct(clock):
    """An inbox whose tasks a test gives it in one turn of the loop; they run until released."""
    begun, released = [], asyncio.Event()

    async def note(number, context):
        begun.append(number)
        await released.wait()

    inbox = Inbox(Silent(), Subscriptions(Silent()), None, "worker")

    def host(rate_limit):
        inbox.add(Axon(neuron_id="worker", neuron_fn=note, rate_limit=rate_limit))

    def give(number, parent_id=None):
        task = Signal(type=SignalType.TASK, payload={"input": number}, parent_id=parent_id)
        item = bytes(15) + bytes([number]), bytes(16), 1, 86_400_000, 0, task.encode()
        inbox.on_tasks(b"c" * 16, "worker", [item])
        return task

    inbox.host, inbox.give, inbox.begun, inbox.released = host, give, begun, released
    return inbox


async def test_a_task_that_comes_before_the_first_has_begun_does_not_wait_for_its_end(direct):
    direct.host("1000/s")
    direct.give(1)
    direct.give(2)

    await until(lambda: direct.begun == [1, 2])

    direct.released.set()
    await direct.drain(1.0)


async def test_a_task_that_is_cancelled_before_its_first_step_gives_its_token_back(direct):
    direct.host("1/10m")
    direct.give(1)

    direct.on_cancel(b"c" * 16, bytes(15) + b"\x01")
    direct.give(2)

    await until(lambda: direct.begun == [2])
    direct.released.set()
    await direct.drain(1.0)


async def test_who_comes_before_the_timer_fires_stands_behind_who_waits(direct, clock):
    direct.host("1/10m")
    direct.give(1)
    direct.give(2)
    await until(lambda: direct.begun == [1])

    clock.advance(INTERVAL_S)
    direct.give(3)

    await until(lambda: direct.begun == [1, 2])
    direct.released.set()
    await direct.drain(0.0)


async def test_a_parent_whose_child_waits_for_the_rate_is_not_called_late_for_a_deadlock(direct):
    direct.host("1/10m")
    task = direct.give(1)
    await until(lambda: direct.begun == [1])
    direct.give(2, parent_id=task.id)

    parent, child = direct.jobs.values()
    assert parent.why_waits() == ""
    assert "rate limit" in child.why_waits()
    await direct.drain(0.0)
