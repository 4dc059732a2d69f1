"""What a runner shows of its processes, some of which say nothing or leave."""

import contextlib
import time

import pytest

from cosmonapse.exposition.process_line import AnsweringEnd
from cosmonapse.worker_runner.supervisor import Phase, Supervisor, WorkerProcess
from cosmonapse.worker_runner.worker_metrics import ANSWER_S, WorkerMetrics

FINE = [True, "fine"]


@contextlib.contextmanager
def worker(count):
    """A runner with a process for each place: all of them serve, and nothing answers yet."""
    supervisor = Supervisor(count, 1.0)
    supervisor.processes = {
        10 + place: WorkerProcess(10 + place, place, 0, 0.0, Phase.SERVING)
        for place in range(count)
    }
    metrics = WorkerMetrics("127.0.0.1:0", supervisor)
    lines = {number: metrics.new_line(number) for number in supervisor.processes}
    try:
        yield supervisor, metrics, lines
    finally:
        for number, line in lines.items():
            metrics.end_line(number)
            line.close()
        metrics.close()


def answers(line, name="orders"):
    metric = (name, "gauge", "Orders.", [(name, {}, 1.0)])
    AnsweringEnd(line.detach(), lambda _: {"alive": FINE, "ready": FINE, "metrics": [metric]})


def samples(metrics, name):
    return {
        each.labels["process"]: each.value
        for family in metrics.collect()
        if family.name == name
        for each in family.samples
    }


def test_processes_that_say_nothing_are_told_and_wait_together(monkeypatch):
    assert ANSWER_S == 2.0
    monkeypatch.setattr("cosmonapse.worker_runner.worker_metrics.ANSWER_S", 0.3)
    with worker(6) as (_, metrics, lines):
        answers(lines[min(lines)])
        began_s = time.monotonic()

        told = samples(metrics, "cosmonapse_worker_process_answers")

        assert time.monotonic() - began_s < 5 * 0.3
        assert told == {"0": 1, **dict.fromkeys("12345", 0)}
        assert samples(metrics, "orders") == {"0": 1.0}


@pytest.mark.parametrize("has_next", [False, True])
def test_a_process_that_leaves_is_counted_until_its_place_is_taken(has_next):
    with worker(2) as (supervisor, metrics, lines):
        first, second = supervisor.processes.values()
        answers(lines[first.number], "old")
        answers(lines[second.number], "new")
        first.phase = Phase.LEAVING
        if has_next:
            second.place = first.place

        assert samples(metrics, "new") == {str(second.place): 1.0}
        assert samples(metrics, "old") == ({} if has_next else {"0": 1.0})
