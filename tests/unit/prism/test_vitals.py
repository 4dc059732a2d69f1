"""Open tasks, errors and rates, from the Signals and what the Synapse says."""

import pytest

from cosmonapse import Directed, NeuronRecord, SignalType
from cosmonapse.prism.pending_tasks import GRACE_S, MOST_UNSEEN, UNSEEN_S, PendingTasks
from cosmonapse.prism.presence import Presence
from cosmonapse.prism.rates import SECONDS, Rates
from cosmonapse.prism.vitals import Vitals
from cosmonapse.registry import TaskRecord
from support.observed import NOBODY, WORKER, reply, task

SETTLING = ["AGENT_OUTPUT", "FINAL", "ERROR", "CLARIFICATION", "PERMISSION", "ESCALATION"]


def record(neuron="worker", **facts):
    return NeuronRecord(neuron_id=neuron, instance=WORKER.hex(), dendrite_id="host", **facts)


@pytest.mark.parametrize("type", list(SignalType))
def test_a_task_is_open_until_it_is_settled(type):
    tasks, asked = PendingTasks(), task()
    tasks.observe(asked, 10.0)

    settled = tasks.observe(reply(asked, type), 11.0)

    assert (settled is not None) == (type in SETTLING)
    assert (asked.signal.id in {each.id for each in tasks}) == (type not in SETTLING)


def test_the_oldest_task_is_forgotten_when_there_are_too_many():
    tasks = PendingTasks(most=2)
    asked = [task() for _ in range(3)]

    for each in asked:
        tasks.observe(each, 1.0)

    assert [each.id for each in tasks] == [each.signal.id for each in asked[1:]]


def test_what_the_synapse_has_not_open_any_more_is_forgotten():
    tasks = PendingTasks()
    tasks.observe(task("worker"), 10.0)
    tasks.observe(task("other"), 10.0)
    new = task("worker")
    tasks.observe(new, 19.5)

    tasks.compare([record("worker", open=0), record("other", open=1)], 20.0)

    assert sorted(each.neuron for each in tasks) == ["other", "worker"]
    assert new.signal.id in {each.id for each in tasks}


def test_a_task_by_capabilities_is_open_while_its_worker_has_any():
    tasks = PendingTasks()
    tasks.observe(task(directed=Directed(capabilities=("chat",))), 10.0)

    tasks.compare([record("a", open=0), record("b", open=1)], 20.0)
    assert len(tasks) == 1
    tasks.compare([record("a", open=0), record("b", open=0)], 21.0)

    assert len(tasks) == 0


def test_a_task_of_a_worker_that_is_gone_is_forgotten_after_a_while():
    tasks = PendingTasks()
    tasks.observe(task(), 10.0)

    for at_s in (20.0, 30.0):
        tasks.compare([], at_s)
    assert len(tasks) == 1
    tasks.compare([], 36.0)

    assert len(tasks) == 0


def test_a_task_that_nobody_got_is_forgotten_in_the_end():
    tasks = PendingTasks()
    tasks.observe(task(worker=NOBODY), 10.0)

    tasks.compare([], 100.0)
    assert len(tasks) == 1
    tasks.compare([], 311.0)

    assert len(tasks) == 0


def told(asked, **facts):
    return TaskRecord(id=asked.signal.id, trace_id="", instance=WORKER.hex(), **facts)


def test_a_task_past_its_deadline_is_unseen_after_a_grace_also_at_a_busy_worker():
    tasks, asked = PendingTasks(), task()
    tasks.observe(asked, 10.0)
    tasks.compare_tasks([told(asked, remaining_s=5.0)], 12.0)
    tasks.compare_tasks([told(asked, remaining_s=0.0)], 19.0)
    busy = [record(open=1)]

    assert tasks.compare(busy, 17.0 + GRACE_S) == []
    assert len(tasks) == 1
    (lost,) = tasks.compare(busy, 17.1 + GRACE_S)

    assert lost.id == asked.signal.id
    assert len(tasks) == 0
    assert tasks.compare(busy, 17.2 + GRACE_S) == []  # told once


def test_a_task_that_is_not_in_a_complete_list_is_unseen_after_a_grace():
    tasks, asked, other = PendingTasks(), task(), task()
    tasks.observe(asked, 10.0)
    tasks.observe(other, 10.0)
    tasks.compare([record(open=2)], 20.0)
    tasks.compare_tasks([told(other)], 20.0)
    assert len(tasks) == 2  # the Synapse counted two: this peer may not see both
    tasks.compare([record(open=1)], 21.0)
    tasks.compare_tasks([told(other)], 21.0)

    assert [each.id for each in tasks] == [other.signal.id]
    assert list(tasks.unseen(21.0)) == []
    (lost,) = tasks.compare([record(open=1)], 21.0 + GRACE_S)
    assert lost.id == asked.signal.id
    assert tasks.compare([record(open=1)], 22.0 + UNSEEN_S) == []
    assert list(tasks.unseen(22.0 + UNSEEN_S)) == []


def test_an_outcome_that_comes_late_counts_all_the_same():
    tasks, asked = PendingTasks(), task()
    tasks.observe(asked, 10.0)
    tasks.compare([record(open=0)], 20.0)
    tasks.compare([record(open=0)], 20.0 + GRACE_S)

    settled = tasks.observe(reply(asked), 26.0)

    assert settled is not None
    assert list(tasks.unseen(26.0)) == []


def test_unseen_tasks_are_bounded_and_each_is_told_once():
    tasks, many = PendingTasks(), MOST_UNSEEN + 20
    for _ in range(many):
        tasks.observe(task(), 10.0)

    first = tasks.compare([record(open=0)], 20.0)
    rest = tasks.compare([record(open=0)], 20.0 + GRACE_S)

    assert (len(first), len(rest)) == (20, MOST_UNSEEN)
    assert len({each.id for each in first + rest}) == many


def test_an_unseen_task_is_shown_as_that_and_does_not_count_as_open():
    health, asked = Vitals(Presence()), task()
    health.observe(asked, 10.0)
    health.compare([record(open=0)], 20.0)
    (lost,) = health.compare([record(open=0)], 20.0 + GRACE_S)

    view = health.view(20.0 + GRACE_S)

    assert lost.trace_id == asked.signal.trace_id
    assert [(each["state"], each["stuck"]) for each in view["tasks"]] == [("unseen", None)]
    assert (view["open"], view["more"]) == (0, 0)


def test_a_second_is_summed_up_when_it_is_over():
    rates = Rates()
    for n in range(100):
        rates.count(10.5)
        rates.settled("w", n == 0, float(n + 1), 10.5)

    assert rates.totals() == []
    rates.advance(11.0)

    assert rates.totals() == [100]
    assert rates.view(1) == {
        "w": {"rate": [100], "p50_ms": [50.0], "p99_ms": [99.0], "errors": 1, "done": 99}
    }


def test_quiet_seconds_count_and_all_series_are_as_long():
    rates = Rates()
    rates.count(10.0)
    rates.settled("early", False, 1.0, 10.0)
    rates.settled("late", False, 2.0, 13.9)
    rates.advance(15.0)

    assert rates.totals() == [1, 0, 0, 0, 0]
    shown = rates.view(10)
    assert shown["early"]["rate"] == [1, 0, 0, 0, 0]
    assert shown["late"]["p50_ms"] == [None, None, None, 2.0, None]


def test_two_minutes_are_kept_also_after_a_long_sleep():
    rates = Rates()
    rates.count(1.0)
    rates.settled("w", False, 1.0, 1.0)

    rates.advance(1e9)

    assert rates.totals() == [0] * SECONDS
    assert rates.view(1)["w"]["rate"] == [0] * SECONDS


def test_only_so_many_neurons_are_followed():
    rates = Rates(most=2)
    for neuron in ("a", "b", "a", "c"):
        rates.settled(neuron, False, 1.0, 1.0)

    assert list(rates.view(10)) == ["c", "a"]
    assert list(rates.view(1)) == ["c"]


def test_the_oldest_tasks_come_first_with_who_runs_and_who_waits():
    presence = Presence()
    health = Vitals(presence)
    presence.compare([record(running=1, queued=1)], 0.0)
    asked = [task(), task(), task("elsewhere", worker=NOBODY)]
    for n, each in enumerate(asked):
        health.observe(each, float(n))

    view = health.view(10.0)

    assert [each["id"] for each in view["tasks"]] == [each.signal.id for each in asked]
    assert [each["state"] for each in view["tasks"]] == ["running", "queued", "unknown"]
    assert [each["age_s"] for each in view["tasks"]] == [10.0, 9.0, 8.0]
    assert view["more"] == 0


def test_a_task_by_capabilities_is_shown_with_the_neuron_that_has_it():
    presence = Presence()
    health = Vitals(presence)
    presence.compare([record("chatty", capabilities=("chat", "fr")), record("mute")], 0.0)

    health.observe(task(directed=Directed(capabilities=("chat",))), 1.0)

    assert health.view(2.0)["tasks"][0]["neuron"] == "chatty"


@pytest.mark.parametrize(
    ("by_theirs_s", "by_ours_s", "took_ms"),
    [(0.002, 0.05, 2.0), (-3.0, 0.05, 50.0), (9.0, 0.05, 50.0), (float("nan"), 0.05, 50.0)],
)
def test_a_duration_is_by_the_clocks_of_both_ends_if_they_can_be_right(
    by_theirs_s, by_ours_s, took_ms
):
    health, asked = Vitals(Presence()), task(ts=1_000.0)
    health.observe(asked, 10.0)
    health.observe(reply(asked, ts=1_000.0 + by_theirs_s), 10.0 + by_ours_s)

    (took,) = health.view(11.0)["series"]["worker"]["p50_ms"]

    assert took == pytest.approx(took_ms)


def failing_task(health, now_s, **fields):
    asked = task(worker=NOBODY, **fields)
    health.observe(asked, now_s)
    payload = {"code": "NO_SUCH_NEURON", "message": "nobody"}
    health.observe(reply(asked, SignalType.ERROR, payload, None), now_s)


def test_a_neuron_that_nobody_serves_is_missing_until_one_does():
    presence = Presence()
    health = Vitals(presence)
    failing_task(health, 1.0, neuron="worker")

    (row,) = health.view(2.0)["neurons"]
    assert (row["neuron_id"], row["missing"]) == ("worker", True)
    presence.compare([record()], 3.0)

    (row,) = health.view(4.0)["neurons"]
    assert (row["missing"], row["replicas"]["alive"]) == (False, 1)


def test_capabilities_that_nobody_has_are_missing_until_a_neuron_has_them():
    presence = Presence()
    health = Vitals(presence)
    failing_task(health, 1.0, neuron=None, directed=Directed(capabilities=("chat", "fr")))

    assert [row["neuron_id"] for row in health.view(2.0)["neurons"]] == ["chat, fr"]
    presence.compare([record("chatty", capabilities=("fr", "chat", "de"))], 3.0)

    assert [row["neuron_id"] for row in health.view(4.0)["neurons"]] == ["chatty"]


def test_rates_are_means_over_full_seconds():
    rates = Rates()
    for n in range(100):  # 10 a second, unevenly within each
        at_s = n // 10 + (0.9 if n % 10 else 0.0)
        rates.count(at_s)
        rates.settled("w", n % 10 == 0, 5.0, at_s)
    found = []
    for at_s in (10.0, 10.3, 10.9):
        rates.advance(at_s)
        found.append((rates.signals_per_s(), rates.recent("w")["rate"]))

    assert found == [(10.0, 10.0)] * 3
    recent = rates.recent("w")
    assert (recent["errors_per_minute"], recent["error_rate"]) == (10, 0.1)
