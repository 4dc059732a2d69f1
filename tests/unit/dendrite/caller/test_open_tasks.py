"""Open tasks at their caller: every one ends, and once."""

import pytest

from cosmonapse import Directed, Signal, SignalType
from cosmonapse.dendrite.caller.open_tasks import OpenTask, OpenTasks
from cosmonapse.ids import id_bytes, id_text, new_trace_id
from cosmonapse.tasks import task_for

TASK, OTHER, TRACE, WORKER = b"t" * 16, b"o" * 16, b"r" * 16, b"w" * 16
NAMED = Directed("echo", "neuron")
ABLE = Directed(None, "neuron", ("chat", "fr"))


def opened_of(task=TASK, timeout_s=5.0, directed=NAMED):
    signal = Signal(
        type=SignalType.TASK,
        payload={"input": {}},
        directed=directed,
        id=id_text("evt_", task),
        trace_id=id_text("trc_", TRACE),
    )
    return OpenTask.of(signal, timeout_s)


def open_tasks_of(*opened, now_s=100.0):
    open_tasks = OpenTasks()
    for each in opened:
        open_tasks.open(each, now_s)
    return open_tasks


def test_a_reply_belongs_to_its_task_and_names_the_worker():
    opened = opened_of()
    open_tasks = open_tasks_of(opened)

    assert open_tasks.replied(TASK, WORKER, 0, settles=False) is opened
    assert opened.worker == WORKER
    assert len(open_tasks) == 1


def test_the_reply_that_settles_ends_the_task():
    open_tasks = open_tasks_of(opened_of())

    assert open_tasks.replied(TASK, WORKER, 0, settles=True)
    assert len(open_tasks) == 0
    assert open_tasks.expire(1e9) == []


def test_a_reply_that_comes_too_late_is_counted():
    open_tasks = open_tasks_of(opened_of())
    open_tasks.replied(TASK, WORKER, 0, settles=True)

    assert open_tasks.replied(TASK, WORKER, 1, settles=True) is None
    assert open_tasks.counts == {"drop.late_reply": 1}


def test_a_reply_that_comes_twice_is_taken_once():
    open_tasks = open_tasks_of(opened_of())

    taken = [open_tasks.replied(TASK, WORKER, n, settles=False) for n in (0, 0, 1, 0)]

    assert [each is not None for each in taken] == [True, False, True, False]
    assert open_tasks.counts == {"drop.repeated_reply": 2}


def test_a_reply_behind_missing_ones_waits_for_them():
    opened = opened_of()
    open_tasks = open_tasks_of(opened)
    open_tasks.replied(TASK, WORKER, 0, settles=False)

    assert open_tasks.replied(TASK, WORKER, 2, settles=True) is None
    assert open_tasks.missed(TASK, 2, 101.0) is opened
    assert open_tasks.missed(TASK, 2, 101.2) is None
    assert open_tasks.missed(TASK, 3, 101.2) is None
    assert opened.early_index == 3
    assert open_tasks.missed(TASK, 2, 101.3) is opened
    assert [(each.task, each.next_index) for each in open_tasks.opened(101.0)] == [(TASK, 1)]
    assert open_tasks.counts == {"drop.early_reply": 1}


@pytest.mark.parametrize(
    ("address_of", "addresses"),
    [
        (None, [b"", b"", b""]),
        (
            lambda neuron, able: f"{neuron} {able}".encode(),
            [b"echo ()", b"None ('chat', 'fr')", b""],
        ),
    ],
)
def test_open_tasks_are_listed_oldest_first_with_where_they_went(address_of, addresses):
    open_tasks = open_tasks_of(
        opened_of(), opened_of(OTHER, directed=ABLE), opened_of(b"3" * 16, directed=None)
    )

    rows = open_tasks.opened(103.0, address_of)

    assert [(each.task, each.left_ms) for each in rows] == [
        (TASK, 2000),
        (OTHER, 2000),
        (b"3" * 16, 2000),
    ]
    assert [each.address for each in rows] == addresses


class Feed:
    """A Pathway that counts what is lost."""

    def __init__(self):
        self.lost = []

    def lose(self, count):
        self.lost.append(count)


def test_replies_that_are_gone_for_good_are_counted_and_their_pathway_hears_of_them():
    opened = opened_of()
    opened.pathway = Feed()
    open_tasks = open_tasks_of(opened)
    for index in (0, 3, 4):
        assert open_tasks.replied(TASK, WORKER, index, settles=False, skips=True)
    open_tasks.replied_by_run(TASK, WORKER, 10, 2, True)

    assert open_tasks.counts == {"gap.replies": 7}
    assert opened.pathway.lost == [2, 5]


def test_a_task_ends_at_its_deadline():
    opened = opened_of(timeout_s=5.0)
    open_tasks = open_tasks_of(opened, opened_of(OTHER, timeout_s=50.0), now_s=100.0)

    assert open_tasks.expire(104.9) == []
    assert open_tasks.expire(105.1) == [opened]
    assert open_tasks.expire(106.0) == []
    assert len(open_tasks) == 1


def test_the_next_deadline_is_that_of_an_open_task():
    open_tasks = open_tasks_of(
        opened_of(timeout_s=1.0), opened_of(OTHER, timeout_s=5.0), now_s=100.0
    )
    assert open_tasks.next_deadline_at_s() == pytest.approx(101.0, abs=0.01)

    open_tasks.close(TASK)

    assert open_tasks.next_deadline_at_s() == pytest.approx(105.0, abs=0.01)


def test_a_task_is_closed_once():
    opened = opened_of()
    open_tasks = open_tasks_of(opened)

    assert [open_tasks.close(TASK), open_tasks.close(TASK)] == [opened, None]
    assert open_tasks.next_deadline_at_s() is None


def test_all_tasks_are_closed_together():
    tasks = [opened_of(), opened_of(OTHER)]
    open_tasks = open_tasks_of(*tasks)

    assert open_tasks.close_all() == tasks
    assert len(open_tasks) == 0


def test_a_target_is_named_for_people():
    assert opened_of(directed=NAMED).target == "neuron 'echo'"
    assert opened_of(directed=ABLE).target == "a neuron that offers chat, fr"


def test_the_open_tasks_of_a_trace_are_found():
    opened, other = opened_of(), opened_of(OTHER)
    open_tasks = open_tasks_of(opened, other)
    open_tasks.close(OTHER)

    assert open_tasks.of_trace(TRACE) == [opened]
    assert open_tasks.of_trace(b"x" * 16) == []


def test_a_task_that_begins_a_trace_shares_the_bytes_of_its_id_with_it():
    begun, joined = task_for("echo", None, {}), task_for("echo", None, {}, new_trace_id())

    assert begun.trace_id == "trc_" + begun.id[4:]
    assert OpenTask.of(begun, 1.0).trace == OpenTask.of(begun, 1.0).task == id_bytes(begun.id)
    assert OpenTask.of(joined, 1.0).trace == id_bytes(joined.trace_id) != id_bytes(joined.id)


@pytest.mark.parametrize(
    ("index", "count", "skips", "had", "next_index", "counts"),
    [
        (3, 4, False, 0, 7, {}),
        (2, 4, False, 1, 6, {"drop.repeated_reply": 1}),
        (0, 3, False, None, 3, {"drop.repeated_reply": 3}),
        (0, 2, True, None, 3, {"drop.repeated_reply": 2}),
        (4, 2, False, None, 3, {"drop.early_reply": 2}),
        (5, 2, True, 0, 7, {"gap.replies": 2}),
    ],
)
def test_a_run_is_taken_as_its_replies_would_be(index, count, skips, had, next_index, counts):
    opened, alone = opened_of(), opened_of()
    open_tasks, one_by_one = open_tasks_of(opened), open_tasks_of(alone)
    for tasks in (open_tasks, one_by_one):
        for before in range(3):
            tasks.replied(TASK, WORKER, before, settles=False)

    taken = open_tasks.replied_by_run(TASK, WORKER, index, count, skips)
    each = [
        one_by_one.replied(TASK, WORKER, index + k, False, skips and k == 0) for k in range(count)
    ]

    assert taken == (None if had is None else (opened, had))
    assert [*map(bool, each)] == [had is not None and k >= had for k in range(count)]
    assert opened.next_index == alone.next_index == next_index
    assert open_tasks.counts == one_by_one.counts == counts


def test_a_run_that_comes_too_late_is_counted_by_its_replies():
    open_tasks = OpenTasks()

    assert open_tasks.replied_by_run(TASK, WORKER, 0, 5, False) is None
    assert open_tasks.counts == {"drop.late_reply": 5}
