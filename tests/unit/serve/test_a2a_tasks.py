"""The bounds of A2A's tasks."""

import pytest

from cosmonapse.serve.a2a_tasks import BoundedTasks, TaskPhase


@pytest.fixture
def tasks():
    return BoundedTasks(max_tasks=3, max_bytes=10_000, keep_s=60.0)


def kept(tasks, now_s=0.0):
    return {each.body for each in tasks.of("a", now_s)}


def test_a_task_is_found_by_its_agent_and_id_alone(tasks):
    tasks.put("a", "1", b"one", TaskPhase.RUNNING, 0.0)

    assert tasks.get("a", "1", 0.0).body == b"one"
    assert tasks.get("b", "1", 0.0) is None
    assert tasks.get("a", "2", 0.0) is None


def test_a_later_form_takes_the_place_of_the_earlier_one(tasks):
    tasks.put("a", "1", b"one", TaskPhase.RUNNING, 0.0)
    tasks.put("a", "1", b"longer", TaskPhase.FINISHED, 1.0)

    assert len(tasks) == 1
    assert tasks.bytes_held == 6 + 1024
    assert tasks.get("a", "1", 1.0).phase is TaskPhase.FINISHED


def test_over_the_most_tasks_the_oldest_finished_one_goes_first(tasks):
    tasks.put("a", "running", b"running", TaskPhase.RUNNING, 0.0)
    tasks.put("a", "asking", b"asking", TaskPhase.ASKING, 1.0)
    tasks.put("a", "old", b"old", TaskPhase.FINISHED, 2.0)
    tasks.put("a", "new", b"new", TaskPhase.FINISHED, 3.0)

    assert kept(tasks) == {b"running", b"asking", b"new"}
    assert tasks.counts == {"drop.a2a_task": 1}


def test_one_that_asks_goes_before_one_that_runs(tasks):
    tasks.put("a", "asking", b"asking", TaskPhase.ASKING, 1.0)
    for number in range(3):
        tasks.put("a", str(number), b"%d" % number, TaskPhase.RUNNING, 2.0)

    assert kept(tasks) == {b"0", b"1", b"2"}


def test_over_the_most_bytes_the_oldest_goes(tasks):
    tasks.put("a", "1", b"x" * 6_000, TaskPhase.FINISHED, 0.0)
    tasks.put("a", "2", b"y" * 6_000, TaskPhase.FINISHED, 1.0)

    assert kept(tasks) == {b"y" * 6_000}
    assert tasks.bytes_held == 7_024


def test_one_over_all_bounds_is_kept_alone(tasks):
    tasks.put("a", "1", b"x" * 20_000, TaskPhase.RUNNING, 0.0)

    assert len(tasks) == 1


def test_after_its_time_a_task_goes_unless_it_runs(tasks):
    tasks.put("a", "done", b"done", TaskPhase.FINISHED, 0.0)
    tasks.put("a", "asking", b"asking", TaskPhase.ASKING, 0.0)
    tasks.put("a", "running", b"running", TaskPhase.RUNNING, 0.0)

    assert kept(tasks, 60.0) == {b"done", b"asking", b"running"}
    assert kept(tasks, 60.1) == {b"running"}
    assert not tasks.counts


def test_a_question_stays_beside_its_task_until_it_ends(tasks):
    tasks.put("a", "1", b"one", TaskPhase.RUNNING, 0.0)
    tasks.ask("a", "1", b"question", 0.0)
    tasks.put("a", "1", b"one", TaskPhase.ASKING, 0.0)
    assert tasks.get("a", "1", 0.0).asked == b"question"

    tasks.put("a", "1", b"one", TaskPhase.FINISHED, 0.0)
    assert tasks.get("a", "1", 0.0).asked == b""
    assert tasks.bytes_held == 3 + 1024


def test_a_question_may_come_before_its_task(tasks):
    tasks.ask("a", "1", b"question", 0.0)
    assert list(tasks.of("a", 0.0)) == []

    tasks.put("a", "1", b"one", TaskPhase.RUNNING, 0.0)
    assert tasks.get("a", "1", 0.0).asked == b"question"
    assert tasks.get("a", "1", 0.0).body == b"one"


def test_no_question_to_a_task_that_is_gone_leaves_nothing(tasks):
    tasks.ask("a", "1", b"", 0.0)

    assert (len(tasks), tasks.bytes_held) == (0, 0)


def test_the_tasks_of_an_agent_come_with_the_last_change_first(tasks):
    tasks.put("a", "1", b"one", TaskPhase.FINISHED, 0.0)
    tasks.put("b", "1", b"other", TaskPhase.FINISHED, 0.0)
    tasks.put("a", "2", b"two", TaskPhase.RUNNING, 0.0)
    tasks.put("a", "1", b"again", TaskPhase.FINISHED, 0.0)

    assert [each.body for each in tasks.of("a", 0.0)] == [b"again", b"two"]


def test_a_removed_task_leaves_nothing(tasks):
    tasks.put("a", "1", b"one", TaskPhase.RUNNING, 0.0)
    tasks.remove("a", "1")
    tasks.remove("a", "1")

    assert (len(tasks), tasks.bytes_held) == (0, 0)
