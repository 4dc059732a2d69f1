"""Failures by their root cause: one below counts once, whatever lets it pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmonapse import Axon, Dendrite, MemorySynapse, NeuronError, SignalType
from cosmonapse.prism.root_causes import WINDOW_S, RootCauses
from support.observed import CALLER, WORKER, observed, reply, task
from support.processes import until


def failed(asked, code="X", message="m", neuron="worker", **fields):
    return reply(asked, SignalType.ERROR, {"code": code, "message": message}, neuron, **fields)


def child_of(above, neuron):
    return task(neuron, trace_id=above.signal.trace_id, parent_id=above.signal.id)


def chain(*neurons):
    asked = [task(neurons[0])]
    for neuron in neurons[1:]:
        asked.append(child_of(asked[-1], neuron))
    return asked


def told(causes, signals, now_s=1_000.0):
    return [causes.observe(each, now_s) for each in signals]


def shown(causes, now_s=1_000.0):
    return [
        (row["neuron"], row["code"], row["count"], row["above"]) for row in causes.view(100, now_s)
    ]


def test_a_failure_counts_once_under_the_name_of_the_lowest():
    causes, asked = RootCauses(), chain("top", "middle", "low")

    told(causes, asked)
    found = told(causes, [failed(each, neuron=None) for each in reversed(asked)])

    assert shown(causes) == [("low", "X", 1, 2)]
    assert [each.is_root for each in found] == [True, False, False]
    assert {each.neuron for each in found} == {"low"}


def test_who_catches_a_failure_and_fails_for_a_reason_of_its_own_is_a_cause_too():
    causes, (top, low) = RootCauses(), chain("top", "low")

    told(causes, [top, low, failed(low, "X"), failed(top, "REPORT_FAILED", "no disk")])

    assert sorted(shown(causes)) == [("low", "X", 1, 0), ("top", "REPORT_FAILED", 1, 0)]


def test_of_tasks_that_are_overdue_together_the_lowest_is_blamed_in_any_order():
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        causes, asked = RootCauses(), chain("top", "middle", "slow")
        told(causes, asked)

        told(causes, [failed(asked[n], "EXPIRED", f"after {n}.{n} s") for n in order])

        assert shown(causes) == [("slow", "EXPIRED", 1, 2)], order


def test_a_task_that_was_cancelled_did_not_fail():
    causes, asked = RootCauses(), task()

    (_, cause) = told(causes, [asked, failed(asked, "CANCELLED")])

    assert shown(causes) == []
    assert cause.code == "CANCELLED"


def test_numbers_and_ids_make_no_other_group():
    causes = RootCauses()
    for n in (1, 22, 3.25):
        asked = task()
        told(causes, [asked, failed(asked, message=f"attempt {n} of {asked.signal.id}")])

    ((neuron, code, count, above),) = shown(causes)
    assert (neuron, code, count, above) == ("worker", "X", 3, 0)
    (row,) = causes.view(1, 1_000.0)
    assert row["message"].startswith("attempt 3.25 of evt_")
    assert row["callers"] == [CALLER.hex()]


def test_what_another_attempt_makes_good_is_told():
    causes, first = RootCauses(), task("flaky")
    second = task("flaky", trace_id=first.signal.trace_id, meta={"attempt": 2})

    told(causes, [first, failed(first, neuron="flaky"), second, reply(second, neuron="flaky")])

    (row,) = causes.view(1, 1_000.0)
    assert (row["count"], row["recovered"]) == (1, 1)


def test_a_failure_is_forgotten_after_a_while_and_the_rate_is_that_of_the_last_minute():
    causes = RootCauses()
    for at_s in (0.0, 500.0, 570.0):
        asked = task()
        told(causes, [asked, failed(asked)], at_s)

    (row,) = causes.view(1, 575.0)
    assert (row["count"], row["per_minute"]) == (3, 1)
    (row,) = causes.view(1, WINDOW_S + 500.0)
    assert (row["count"], row["per_minute"]) == (2, 0)
    assert causes.view(1, 3 * WINDOW_S) == []


def test_a_neuron_that_was_asked_for_in_vain_is_missing():
    causes, (top, low) = RootCauses(), chain("top", "gone")

    told(causes, [top, low, failed(low, "NO_SUCH_NEURON"), failed(top, "NO_SUCH_NEURON")])

    assert causes.missing() == {"gone"}


@pytest.mark.parametrize("value", [None, 7, {"a": 1}, ["x"]])
def test_an_error_may_say_anything(value):
    causes, asked = RootCauses(), task()

    told(causes, [asked, failed(asked, value, value)])

    (row,) = causes.view(1, 1_000.0)
    assert isinstance(row["code"], str)
    assert isinstance(row["message"], str)


def test_only_so_many_groups_are_remembered():
    causes = RootCauses(most=2)
    for code in ("A", "B", "C"):
        asked = task()
        told(causes, [asked, failed(asked, code, ts=float(ord(code)))])

    assert [row["code"] for row in causes.view(10, 1_000.0)] == ["C", "B"]


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["task", "ok", "X", "EXPIRED"]))))
def test_no_order_of_signals_loses_count(steps):
    causes, asked = RootCauses(), [None] * 6
    errors = 0
    for n, what in steps:
        if what == "task":
            above = asked[n - 1] if n else None
            asked[n] = task(f"n{n}") if above is None else child_of(above, f"n{n}")
            causes.observe(asked[n], 1.0)
        elif asked[n] is not None and what == "ok":
            causes.observe(reply(asked[n]), 1.0)
        elif asked[n] is not None:
            errors += 1
            assert causes.observe(failed(asked[n], what), 1.0) is not None
    rows = causes.view(100, 1.0)
    assert sum(row["count"] for row in rows) <= errors
    assert bool(rows) == bool(errors)


@pytest.mark.asyncio
async def test_a_chain_of_real_neurons_with_the_lowest_missing_counts_once_under_its_name():
    synapse, causes, heard = MemorySynapse(), RootCauses(), []

    async def top(input, context):
        return await context.ask(neuron="middle", input=input)

    async def middle(input, context):
        return await context.ask(neuron="missing", input=input)

    worker = Dendrite(synapse=synapse, dendrite_id="worker")
    for each in (top, middle):
        worker.attach_axon(Axon(neuron_id=each.__name__, neuron_fn=each))
    watcher, caller = Dendrite(synapse=synapse), Dendrite(synapse=synapse)

    @watcher.on_task_signal()
    @watcher.on_error_signal()
    def _note(sig):
        heard.append(
            observed(
                sig.type,
                sig.payload,
                None,
                CALLER,
                WORKER,
                directed=sig.directed,
                id=sig.id,
                trace_id=sig.trace_id,
                parent_id=sig.parent_id,
            )
        )

    async with worker, watcher, caller:
        with pytest.raises(NeuronError, match="missing"):
            await caller.ask(neuron="top", input={})
        await until(lambda: len(heard) == 6)

    tasks = [each for each in heard if each.signal.type is SignalType.TASK]
    errors = [each for each in heard if each.signal.type is SignalType.ERROR]
    told(causes, [*tasks, *errors])
    assert shown(causes) == [("missing", "NO_SUCH_NEURON", 1, 2)]
