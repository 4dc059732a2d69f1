"""The table of `cosmo ps`: which tasks, in which order, and what each column says."""

import pytest

from cosmonapse import TaskRecord
from cosmonapse.cli.ps import Chosen, table

EVIL = "\x1b]0;gone\x07"


def task(**fields):
    fields = {"id": "evt_" + "1" * 26, "trace_id": "trc_" + "a" * 26, **fields}
    return TaskRecord(**{"neuron": "writer", "dendrite_id": "host", "caller": "web", **fields})


TASKS = [
    task(neuron="a", age_s=1.0, trace_id="trc_b" + "0" * 25),
    task(neuron="b", age_s=90.0, caller="", caller_instance="c" * 32),
    task(neuron="a", age_s=7.5, user="ada"),
]


def chosen(**wanted):
    return [each.age_s for each in Chosen(**wanted).of(TASKS)]


def test_the_oldest_task_comes_first():
    assert chosen() == [90.0, 7.5, 1.0]


@pytest.mark.parametrize(
    ("wanted", "ages"),
    [
        ({"neuron": "a"}, [7.5, 1.0]),
        ({"caller": "web"}, [7.5, 1.0]),
        ({"caller": "ada"}, [7.5]),
        ({"caller": "c" * 12}, [90.0]),
        ({"caller": "c" * 11}, []),
        ({"trace_id": "trc_b000"}, [1.0]),
        ({"neuron": "a", "caller": "ada", "trace_id": "trc_aaaa"}, [7.5]),
    ],
)
def test_tasks_are_chosen_by_neuron_caller_and_trace(wanted, ages):
    assert chosen(**wanted) == ages


def test_a_row_says_who_asked_who_has_it_for_how_long_and_how_long_it_may():
    running = task(age_s=0.25, remaining_s=29.75, bytes=1_234, user="ada")

    header, row = table([running]).splitlines()

    assert " ".join(header.split()) == "TRACE STATE AGE LEFT NEURON WORKER CALLER BYTES"
    assert " ".join(row.split()) == "trc_aaaa running 250 ms 29.8 s writer host web (ada) 1,234"
    assert row.index("writer") == header.index("NEURON")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"cancelled": True}, "stopping"),
        ({"state": "parked", "dendrite_id": ""}, "parked"),
        ({"state": "wanted", "neuron": "", "capabilities": ("chat", "fr")}, "chat,fr"),
        ({"caller": "", "caller_instance": "d" * 32}, f"gone ({'d' * 12})"),
        ({"caller": "ada", "user": "ada"}, "ada"),
    ],
)
def test_a_row_says_what_is_special(fields, says):
    (_, row) = table([task(**fields)]).splitlines()

    assert says in row


def test_no_name_of_anybody_controls_the_terminal():
    text = table([task(neuron=EVIL, caller=EVIL, dendrite_id=EVIL)])

    assert text.isprintable() or all(line.isprintable() for line in text.splitlines())


@pytest.mark.parametrize(
    ("wanted", "key", "says"),
    [
        ({}, None, "no task is open in namespace demo; give another namespace with -n"),
        ({"neuron": "a"}, None, "no task of neuron a is open in namespace demo"),
        ({"caller": EVIL}, None, "no task of caller \\x1b"),
        ({}, object(), "a key without the right watch sees only the tasks that it sent"),
    ],
)
def test_no_task_is_said_in_words(wanted, key, says):
    assert says in Chosen(**wanted).none("demo", key)
