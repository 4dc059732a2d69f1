"""The rows of running tasks: who, since when, and what is wrong with each."""

import pytest

from cosmonapse import Directed, NeuronRecord, SignalType
from cosmonapse.prism.pending_tasks import PendingTasks
from cosmonapse.prism.presence import Presence
from cosmonapse.prism.task_rows import STUCK_S, TaskRows
from cosmonapse.registry import DendriteRecord, TaskRecord
from support.observed import CALLER, NOBODY, WORKER, observed, reply, task


class Fabric:
    """The rows of a fabric with one worker, and a caller with a name."""

    def __init__(self, **facts):
        self.tasks, self.presence = PendingTasks(), Presence()
        self.rows = TaskRows(self.tasks, self.presence)
        facts = {"instance": WORKER.hex(), "dendrite_id": "host", "running": 1, **facts}
        self.presence.compare([NeuronRecord(neuron_id="worker", **facts)], 0.0)
        caller = DendriteRecord(dendrite_id="edge", instance=CALLER.hex())
        self.presence.compare_dendrites([caller], 0.0, 0.0)

    def heard(self, signal, at_s):
        self.tasks.observe(signal, at_s)
        return signal

    def row(self, at_s):
        (row,) = self.rows.view(at_s)
        return row


def question(asked, type, text="which one?"):
    return reply(asked, type, {"question": text})


def test_a_row_says_who_asked_whom_for_what():
    fabric = Fabric()
    asked = fabric.heard(task(payload={"input": {"prompt": "Why is\nthe sky blue?"}}), 10.0)

    row = fabric.row(12.0)

    assert (row["id"], row["neuron"], row["attempt"]) == (asked.signal.id, "worker", 1)
    assert row["caller"] == {"instance": CALLER.hex(), "name": "edge"}
    assert row["worker"] == {"instance": WORKER.hex(), "name": "host"}
    assert (row["prompt"], row["age_s"], row["state"]) == ("Why is the sky blue?", 2.0, "running")
    assert (row["first_thought_s"], row["thoughts"], row["stuck"]) == (None, 0, None)


def test_thoughts_are_counted_and_the_first_one_is_timed():
    fabric, asked = Fabric(), task()
    fabric.heard(asked, 10.0)
    for at_s, text in ((10.4, "Because"), (11.0, " air")):
        fabric.heard(reply(asked, SignalType.THOUGHT_DELTA, {"delta": text}), at_s)

    row = fabric.row(12.0)

    assert (row["first_thought_s"], row["thoughts"], row["characters"]) == (0.4, 2, 11)


@pytest.mark.parametrize("size", [10, 5_000])
def test_a_secret_in_a_task_is_masked_at_every_size(size):
    fabric = Fabric()
    payload = {"input": {"api_key": "sk-123", "rest": "x" * size}}

    fabric.heard(task(payload=payload), 1.0)

    assert "sk-123" not in fabric.row(2.0)["prompt"]
    assert len(fabric.row(2.0)["prompt"]) <= 200


def test_of_a_long_task_only_its_line_is_kept():
    fabric = Fabric()

    fabric.heard(task(payload={"input": {"prompt": "words " * 10_000}}), 1.0)

    (kept,) = fabric.tasks
    assert (len(kept.body), len(kept.read())) == (0, 200)


def test_of_very_many_capabilities_a_few_are_kept():
    fabric = Fabric()
    many = tuple(f"{n}" + "c" * 200 for n in range(100))

    fabric.heard(task(directed=Directed(capabilities=many)), 1.0)

    assert [len(each) for each in fabric.row(2.0)["capabilities"]] == [128] * 16


def test_a_task_without_a_word_for_a_while_is_stuck_and_one_that_thinks_is_not():
    fabric, asked = Fabric(), task()
    fabric.heard(asked, 0.0)

    assert fabric.row(STUCK_S)["stuck"] is None
    assert fabric.row(STUCK_S + 2)["stuck"] == "no word of it for 32 s"
    fabric.heard(reply(asked, SignalType.THOUGHT_DELTA, {"delta": "x"}), 33.0)
    assert fabric.row(34.0)["stuck"] is None


@pytest.mark.parametrize("state", ["stuck", "away"])
def test_a_task_of_a_worker_that_is_unwell_is_stuck_at_once(state):
    fabric = Fabric(state=state)
    fabric.heard(task(), 0.0)

    assert "its worker" in fabric.row(1.0)["stuck"]


def test_a_task_of_a_worker_that_is_gone_says_so():
    fabric = Fabric()
    fabric.heard(task(), 0.0)
    fabric.presence.compare([], 1.0)

    assert fabric.row(2.0)["stuck"] == "its worker is gone"


def test_what_the_synapse_tells_of_a_task_is_shown():
    fabric, asked = Fabric(), task(worker=NOBODY)
    fabric.heard(asked, 0.0)
    told = TaskRecord(id=asked.signal.id, trace_id="", state="parked", remaining_s=5.0)
    fabric.rows.compare([told], 1.0)

    row = fabric.row(3.0)
    assert (row["state"], row["deadline_s"]) == ("parked", 3.0)
    assert row["stuck"] == "it waits for a worker since the Synapse started"
    assert fabric.row(6.0)["stuck"] == "it is past its deadline"
    fabric.rows.compare(None, 7.0)
    assert fabric.row(7.0)["deadline_s"] is None


@pytest.mark.parametrize("type", ["CLARIFICATION", "PERMISSION", "ESCALATION"])
def test_a_task_that_asks_stays_with_its_question_until_it_is_answered(type):
    fabric, asked = Fabric(), task()
    fabric.heard(asked, 0.0)
    asks = fabric.heard(question(asked, SignalType(type)), 1.0)

    row = fabric.row(100.0)
    assert (row["state"], row["asks"], row["stuck"]) == ("asking", type.lower(), None)
    assert "which one?" in row["question"]
    answered = task(trace_id=asks.signal.trace_id, parent_id=asks.signal.id)
    fabric.heard(answered, 101.0)

    assert fabric.row(102.0)["state"] == "running"


@pytest.mark.parametrize("type", ["CLARIFICATION_ANSWER", "PERMISSION_DECISION"])
def test_an_answer_ends_a_question(type):
    fabric, asked = Fabric(), task()
    fabric.heard(asked, 0.0)
    asks = fabric.heard(question(asked, SignalType.CLARIFICATION), 1.0)

    fabric.heard(observed(SignalType(type), parent_id=asks.signal.id), 2.0)

    assert fabric.rows.view(3.0) == []


def test_the_stuck_come_first_then_the_asking_then_the_oldest():
    fabric = Fabric(running=9)
    asks, old, young, stuck = (fabric.heard(task(), at_s) for at_s in (0.0, 1.0, 2.0, 3.0))
    fabric.heard(question(asks, SignalType.CLARIFICATION), 4.0)
    told = TaskRecord(id=stuck.signal.id, trace_id="", state="wanted")
    fabric.rows.compare([told], 4.0)

    found = [row["id"] for row in fabric.rows.view(5.0)]

    assert found == [each.signal.id for each in (stuck, asks, old, young)]


def test_only_so_many_tasks_are_shown_and_the_rest_is_a_number():
    fabric = Fabric()
    for n in range(300):
        fabric.heard(task(), float(n) / 100)

    rows = fabric.rows.view(4.0)

    assert len(rows) == 200
    assert rows[0]["age_s"] == 4.0
