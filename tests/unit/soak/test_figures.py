"""The figures of the soak, its plan of faults, and what its tasks must give."""

import itertools
import json

import pytest

from tools.soak import tasks
from tools.soak.explain import RESYNC
from tools.soak.figures import growth, latency, outages, undisturbed
from tools.soak.history import Fault, History, Task, parsed, read
from tools.soak.plan import FAULTS, plan
from tools.soak.verdict import judge, shown


def answered(name, invoked_at_s, took_s):
    ended_at_s = invoked_at_s + took_s
    return Task(name, "caller-1", invoked_at_s, 5.0, outcomes=1, ended_at_s=ended_at_s)


def test_the_slope_of_a_line_is_found_among_noise():
    line = [(float(x), 3.0 * x + (0.5 if x % 2 else -0.5)) for x in range(100)]

    assert growth(line) == pytest.approx(3.0, abs=0.01)
    assert growth([(1.0, 5.0), (1.0, 9.0)]) == 0.0
    assert growth([]) == 0.0


def test_latencies_are_those_of_replies_only():
    failed = answered("c-4", 0.0, 4.0)
    failed.code = "TIMEOUT"
    replies = [answered("c-1", 0.0, 0.001), answered("c-2", 0.0, 0.002), answered("c-3", 0.0, 0.1)]

    found = latency([*replies, failed])

    assert (found.count, found.max_ms) == (3, pytest.approx(100))
    assert (found.p50_ms, found.p99_ms) == pytest.approx((2.0, 98.04))


def test_a_task_is_undisturbed_if_no_fault_overlaps_it():
    fault = Fault(1, "worker_kill", "worker-1", at_s=10.0, mended_at_s=11.0)
    each = [answered("before", 9.0, 0.5), answered("into", 9.9, 0.2), answered("in", 10.5, 0.1)]
    each += [answered("settling", 12.4, 0.1), answered("after", 12.6, 0.1)]
    history = History(tasks={task.id: task for task in each}, faults={1: fault})

    assert [task.id for task in undisturbed(history)] == ["before", "after"]


def test_an_outage_lasts_from_its_failover_until_a_caller_has_the_answer_of_a_later_task():
    fault = Fault(1, "failover", "synapse", at_s=10.0, mended_at_s=10.1)
    lost = answered("caller-1-3", 10.1, 0.1)
    lost.code = "TASK_LOST"
    each = [answered("caller-1-1", 9.9, 0.2), answered("caller-1-2", 10.1, 0.3), lost]
    history = History(tasks={task.id: task for task in each}, faults={1: fault})

    (found,) = outages(history)

    assert (found.kind, found.count) == ("failover", 1)
    assert (found.p50_ms, found.max_ms) == pytest.approx((400.0, 400.0))


def test_the_same_seed_gives_the_same_plan_and_another_one_another():
    first, again, other = (
        list(itertools.islice(plan(seed, list(FAULTS)), 40)) for seed in (7, 7, 8)
    )

    assert first == again
    assert first != other


def test_each_kind_of_fault_comes_once_before_any_comes_again():
    first = [planned.kind for planned in itertools.islice(plan(7, list(FAULTS)), len(FAULTS))]

    assert sorted(first) == sorted(FAULTS)


def test_numbers_are_written_as_runs_in_the_order_in_which_they_came():
    assert tasks.runs(range(50)) == "0-49"
    assert tasks.runs([0, 1, 2, 5, 4, 4]) == "0-2,5,4,4"
    assert tasks.runs([]) == ""


def test_a_thought_of_another_task_is_no_thought_of_ours():
    text = tasks.thought("caller-1-7", 3)

    assert tasks.number_of("caller-1-7", text) == 3
    assert tasks.number_of("caller-1-8", text) == -1


@pytest.mark.parametrize("kind", tasks.WEIGHTS)
def test_the_answers_of_two_tasks_are_never_taken_for_each_other(kind):
    ours, theirs = (
        tasks.digest(tasks.wanted(kind, name, 7)) for name in ("caller-1-7", "caller-2-7")
    )

    assert ours != theirs
    assert ours == tasks.digest(tasks.wanted(kind, "caller-1-7", 7))


def test_a_line_that_was_cut_off_by_a_kill_is_left_out():
    whole = json.dumps({"what": "quiet", "at": 1.0}) + "\n"

    assert list(parsed([whole, whole[:9]])) == [{"what": "quiet", "at": 1.0}]


def test_a_broken_run_is_shown_with_its_rule_and_its_task():
    lost = {"what": "invoke", "who": "caller-1", "at": 1.0, "task": "caller-1-1", "kind": "echo"}
    lost |= {"neuron": "work", "want": "x", "timeout_s": 5.0, "retry": False}

    verdict = judge(read([lost]), RESYNC)

    assert not verdict.holds
    assert "BROKEN: 1 no_outcome" in shown(verdict, 0.0)
    assert "caller-1-1" in shown(verdict, 0.0)
    assert json.loads(json.dumps(verdict.facts()))["pending"] == 1


def test_a_run_that_holds_says_so():
    assert "HOLDS" in shown(judge(History(), RESYNC), 0.0)
