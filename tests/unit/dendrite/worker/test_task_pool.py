"""Who runs the jobs: tasks that are used again, and never at the cost of another job."""

import asyncio
import contextvars

import pytest
import pytest_asyncio

from cosmonapse.dendrite.worker.task_pool import TaskPool

pytestmark = pytest.mark.asyncio

VARIABLE = contextvars.ContextVar("variable", default="clean")


class FakeJob:
    """A job that does what it is given, and notes which task ran it."""

    def __init__(self, work=None):
        self.work = work
        self.settled = False
        self.runner = None
        self.ran_in = None
        self.over = asyncio.Event()

    def end(self):
        self.runner = None
        self.over.set()


async def run(job):
    job.ran_in = asyncio.current_task()
    try:
        if job.work is not None:
            await job.work()
    except asyncio.CancelledError:
        pass


async def all_over(jobs):
    async with asyncio.timeout(5):
        for job in jobs:
            await job.over.wait()


@pytest_asyncio.fixture
async def pool():
    pool = TaskPool(run, "neuron echo")
    yield pool
    pool.close()


async def test_jobs_that_answer_at_once_share_a_task(pool):
    jobs = [FakeJob() for _ in range(20)]

    for job in jobs:
        pool.start(job)
    await all_over(jobs)

    assert len({job.ran_in for job in jobs}) == 1
    assert jobs[0].ran_in.get_name() == "neuron echo"


async def test_a_task_that_has_nothing_to_do_gets_the_next_job(pool):
    first, second = FakeJob(), FakeJob()
    pool.start(first)
    await all_over([first])
    await asyncio.sleep(0)

    pool.start(second)
    await all_over([second])

    assert second.ran_in is first.ran_in


async def test_a_job_that_waits_holds_up_none_behind_it(pool):
    gate = asyncio.Event()
    waiting, others = [FakeJob(gate.wait) for _ in range(3)], [FakeJob() for _ in range(3)]

    for job in (*waiting, *others):
        pool.start(job)
    await all_over(others)

    assert not any(job.over.is_set() for job in waiting)
    assert len({job.ran_in for job in waiting}) == 3
    gate.set()
    await all_over(waiting)


async def test_a_job_that_comes_while_another_waits_is_run(pool):
    gate = asyncio.Event()
    waiting, late = FakeJob(gate.wait), FakeJob()
    pool.start(waiting)
    await asyncio.sleep(0)

    pool.start(late)
    await all_over([late])

    assert not waiting.over.is_set()
    gate.set()
    await all_over([waiting])


async def test_a_task_whose_job_was_cancelled_is_not_used_again(pool):
    cancelled, after = FakeJob(asyncio.Event().wait), FakeJob()
    pool.start(cancelled)
    await asyncio.sleep(0)

    cancelled.runner.cancel()
    await all_over([cancelled])
    pool.start(after)
    await all_over([after])

    assert after.ran_in is not cancelled.ran_in
    assert after.ran_in.cancelling() == 0


async def test_a_job_that_cancels_its_own_task_harms_no_other(pool):
    async def cancel_myself():
        asyncio.current_task().cancel()

    jobs = [FakeJob(cancel_myself), FakeJob(), FakeJob()]

    for job in jobs:
        pool.start(job)
    await all_over(jobs)

    assert jobs[1].ran_in is not jobs[0].ran_in


async def test_what_a_job_leaves_in_its_context_is_not_seen_by_the_next(pool):
    seen = []

    async def look_and_leave():
        seen.append(VARIABLE.get())
        VARIABLE.set("changed")

    jobs = [FakeJob(look_and_leave) for _ in range(3)]

    for job in jobs:
        pool.start(job)
    await all_over(jobs)

    assert seen == ["clean"] * 3


async def test_a_context_that_was_put_right_again_costs_no_task(pool):
    async def set_and_reset():
        VARIABLE.reset(VARIABLE.set("for a while"))

    jobs = [FakeJob(set_and_reset) for _ in range(3)]

    for job in jobs:
        pool.start(job)
    await all_over(jobs)

    assert len({job.ran_in for job in jobs}) == 1


async def test_values_that_cannot_be_compared_harm_nobody(pool):
    class Incomparable:
        def __eq__(self, other):
            raise ValueError("the truth of it is ambiguous")

        __hash__ = None

    async def leave_one():
        VARIABLE.set(Incomparable())

    jobs = [FakeJob(leave_one) for _ in range(3)]

    for job in jobs:
        pool.start(job)
    await all_over(jobs)

    assert len({job.ran_in for job in jobs}) == 3


async def test_a_job_that_was_settled_before_its_turn_is_left_out(pool):
    settled, after = FakeJob(), FakeJob()

    pool.start(settled)
    settled.settled = True
    pool.start(after)
    await all_over([after])

    assert settled.ran_in is None


async def test_jobs_that_never_wait_let_the_loop_turn(pool, monkeypatch):
    loop = asyncio.get_running_loop()
    clock = iter(range(10_000))
    monkeypatch.setattr(loop, "time", lambda: next(clock))
    turns = []
    jobs = [FakeJob() for _ in range(5)]

    for job in jobs:
        pool.start(job)
    for _ in range(20):
        turns.append(sum(job.over.is_set() for job in jobs))
        await asyncio.sleep(0)

    assert turns[-1] == 5
    assert len(set(turns)) > 2


async def test_a_task_that_somebody_cancels_while_it_waits_loses_no_job(pool):
    first, second = FakeJob(), FakeJob()
    pool.start(first)
    await all_over([first])
    await asyncio.sleep(0)

    pool.start(second)
    first.ran_in.cancel()
    await all_over([second])

    assert second.ran_in is not first.ran_in


async def test_closing_ends_the_tasks_that_wait(pool):
    job = FakeJob()
    pool.start(job)
    await all_over([job])
    await asyncio.sleep(0)

    pool.close()
    await asyncio.wait([job.ran_in], timeout=5)

    assert job.ran_in.done()
