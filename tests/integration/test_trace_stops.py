"""A trace is stopped across processes: every shape of function ends, soon, and says so."""

import asyncio
import time
from pathlib import Path

import pytest

from cosmonapse import SignalType, new_trace_id
from support.processes import measured, until
from support.watching import kept

STOPPABLE = Path(__file__).parents[1] / "support" / "stoppable.py"
SHAPES = ("coroutine", "generator", "thread", "parent")
pytestmark = pytest.mark.asyncio


@pytest.fixture
def stoppable(url, namespace, children):
    """Start a worker process whose functions can be stopped; return it once it is ready."""

    def start(name):
        child = children.start(STOPPABLE, url, namespace, name)
        child.line("ready")
        return child

    return start


def ask_all(caller, trace_id, name, child):
    """Ask every neuron of a worker; its parent asks `child`."""
    return [
        asyncio.create_task(
            caller.dispatch_and_wait(
                neuron=f"{name}.{shape}", input={"child": child}, trace_id=trace_id
            )
        )
        for shape in SHAPES
    ]


async def all_run(*workers):
    """Return when every function of the workers runs, twice the coroutine: as a child too."""
    for worker in workers:
        assert len(await asyncio.to_thread(worker.lines, "ran", 5)) == 5


async def test_functions_of_every_shape_end_in_two_processes_and_callers_are_told(stoppable, join):
    one, two = stoppable("one"), stoppable("two")
    trace_id = new_trace_id()
    async with join("caller") as caller, join("stopper") as stopper:
        asked = ask_all(caller, trace_id, "one", "two.coroutine")
        asked += ask_all(caller, trace_id, "two", "one.coroutine")
        await all_run(one, two)

        began_s = time.perf_counter()
        answers = await stopper.stop_trace(trace_id, collect_acks=True, timeout_s=10.0)
        replies = await asyncio.gather(*asked)
        took_s = time.perf_counter() - began_s

    measured("stopping ten functions in two processes", took_s)
    assert {reply.payload["code"] for reply in replies} == {"CANCELLED"}
    assert {each.payload["node"]: each.payload["cancelled"] for each in answers} == {
        "one": 5,
        "two": 5,
    }
    for worker in (one, two):
        assert sorted(worker.lines("ended", 5)) == sorted([*SHAPES, "coroutine"])
    assert took_s < 1.0


async def test_a_caller_stops_its_own_trace_with_rollback_and_sees_all_answers(stoppable, join):
    one, two = stoppable("one"), stoppable("two")
    trace_id = new_trace_id()
    async with join("caller") as caller:
        asked = ask_all(caller, trace_id, "one", "two.coroutine")
        asked += ask_all(caller, trace_id, "two", "one.coroutine")
        await all_run(one, two)

        answers = await caller.stop_trace(trace_id, True, collect_acks=True, timeout_s=10.0)
        replies = await asyncio.gather(*asked)

    assert {reply.payload["code"] for reply in replies} == {"CANCELLED"}
    assert {each.payload["node"]: each.payload["rolled_back"] for each in answers} == {
        "one": 5,
        "two": 5,
    }
    for worker in (one, two):
        assert sorted(worker.lines("undone", 5)) == sorted([*SHAPES, "coroutine"])


async def test_another_trace_runs_on_and_a_bystander_sees_the_stop_and_its_answers(stoppable, join):
    stoppable("one")
    two = stoppable("two")
    trace_id = new_trace_id()
    watcher = join("watcher")
    seen = kept(watcher.on_trace(trace_id, SignalType.STOP, SignalType.STOPPED))
    stopped = kept(watcher.on_signal(SignalType.STOPPED))
    async with watcher, join("caller") as caller:
        other = asyncio.create_task(
            caller.dispatch_and_wait(neuron="two.coroutine", input={}, timeout_s=60.0)
        )
        await asyncio.to_thread(two.line, "ran coroutine")

        await caller.stop_trace(trace_id)
        await until(lambda: len(seen) == 3 and len(stopped) == 2)

        assert [sig.type for sig in seen] == [SignalType.STOP] + [SignalType.STOPPED] * 2
        assert {sig.payload["cancelled"] for sig in stopped} == {0}
        assert not other.done()
        other.cancel()


async def test_a_worker_that_was_killed_is_waited_for_no_longer_than_wanted(stoppable, join):
    stoppable("one")
    two = stoppable("two")
    async with join("caller") as caller:
        two.kill()
        began_s = time.perf_counter()
        answers = await caller.stop_trace(new_trace_id(), collect_acks=True, timeout_s=1.0)
        took_s = time.perf_counter() - began_s

    assert [each.payload["node"] for each in answers] == ["one"]
    assert took_s < 2.0
