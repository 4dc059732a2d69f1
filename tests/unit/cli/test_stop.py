"""What `cosmo stop` stops, and how it tells of it."""

import asyncio

import click
import pytest

from cosmonapse import Signal, SignalType, SynapseRefused, TaskRecord
from cosmonapse.cli.stop import Stopped, _found

TRACE = "trc_" + "a" * 26
EVIL = "\x1b]0;gone\x07"


def task(trace_id=TRACE, instance="1" * 32, **fields):
    fields = {"id": "evt_" + "1" * 26, "trace_id": trace_id, "instance": instance, **fields}
    return TaskRecord(**{"neuron": "writer", "dendrite_id": "host", "caller": "web", **fields})


def answer(node="host", instance="1" * 32, **counts):
    payload = {"cancelled": 1, "rolled_back": 0, **counts, "node": node}
    return Signal(type=SignalType.STOPPED, payload=payload, meta={"instance": instance})


class FakeDendrite:
    """Lists tasks; None stands for a Synapse that cannot."""

    def __init__(self, tasks):
        self._tasks = tasks

    async def open_tasks(self):
        if self._tasks is None:
            raise SynapseRefused("cosmo://there", "it is older")
        return self._tasks


def found(tasks, given):
    return asyncio.run(_found(FakeDendrite(tasks), given))


def test_the_beginning_of_one_open_trace_is_enough_and_its_tasks_are_told():
    tasks = [task(), task(neuron="painter"), task("trc_b" + "a" * 25)]

    assert found(tasks, TRACE[:8]) == (TRACE, tasks[:2])


@pytest.mark.parametrize(
    ("traces", "says"),
    [
        ([], "no open task has a trace that begins with trc_aaaa; see 'cosmo ps'"),
        ([TRACE, "trc_" + "a" * 25 + "b"], f"2 traces begin with trc_aaaa: {TRACE}, trc_"),
        ([f"trc_aaaa{number:022}" for number in range(12)], "and 2 more; give more of it"),
    ],
)
def test_a_beginning_of_none_or_several_is_told(traces, says):
    with pytest.raises(click.ClickException) as caught:
        found([task(each) for each in traces], "trc_aaaa")

    assert says in caught.value.message


@pytest.mark.parametrize("tasks", [[], None])
def test_a_whole_trace_needs_no_list(tasks):
    assert found(tasks, TRACE) == (TRACE, [])


def test_a_beginning_needs_a_synapse_that_lists_tasks():
    with pytest.raises(SynapseRefused):
        found(None, TRACE[:8])


def test_what_was_stopped_and_who_answered_is_told():
    told = Stopped(
        TRACE,
        [task(age_s=75.0), task(instance="2" * 32, dendrite_id="other", cancelled=True)],
        [answer(rolled_back=1), answer("idle", "3" * 32, cancelled=0)],
    )

    assert told.silent() == ["other"]
    assert told.text().splitlines() == [
        f"{TRACE}: 1 task cancelled, 1 rolled back",
        "- was running: writer at host, for 1 m 15 s, sent by web",
        "- was stopping: writer at other, for 0 ms, sent by web",
        "- host cancelled 1",
        "- 1 more answered that they had nothing to cancel",
        "- other did not answer: its function may still run",
    ]


def test_no_name_and_no_count_of_anybody_does_harm():
    bad = answer(EVIL, None, cancelled="many", rolled_back=-3)
    told = Stopped(TRACE, [task(dendrite_id=EVIL, caller=EVIL)], [bad])

    assert all(line.isprintable() for line in told.text().splitlines())
    assert told.facts()["answers"] == [
        {"dendrite_id": EVIL, "instance": "", "cancelled": 0, "rolled_back": 0}
    ]
