"""The ERROR of a task without a reply: its code and its text."""

import pytest

from cosmonapse import CODES, Directed, SignalType
from cosmonapse.dendrite.caller.open_tasks import OpenTask
from cosmonapse.dendrite.caller.task_errors import code_of, error_for
from cosmonapse.tasks import task_for

NAMED = Directed("echo", "neuron")


def named(timeout_s=5.0):
    return OpenTask.of(task_for("echo", None, {}), timeout_s)


def by_capabilities():
    return OpenTask.of(task_for(None, ["chat", "fr"], {}), 5.0)


@pytest.mark.parametrize(
    ("reason", "to_name", "to_capabilities"),
    [
        ("no_route", "NO_SUCH_NEURON", "NO_CAPABLE_NEURON"),
        ("bad_address", "NO_SUCH_NEURON", "NO_CAPABLE_NEURON"),
        ("busy", "OVERLOADED", "OVERLOADED"),
        ("expired", "EXPIRED", "EXPIRED"),
        ("worker_lost", "WORKER_LOST", "WORKER_LOST"),
        ("reply_lost", "REPLY_LOST", "REPLY_LOST"),
        ("unknown", "TASK_LOST", "TASK_LOST"),
        ("of next year", "TASK_LOST", "TASK_LOST"),
    ],
)
def test_a_reason_of_the_transport_becomes_a_code(reason, to_name, to_capabilities):
    assert code_of(reason, named()) == to_name
    assert code_of(reason, by_capabilities()) == to_capabilities


@pytest.mark.parametrize(
    "code",
    [
        "NO_SUCH_NEURON",
        "NO_CAPABLE_NEURON",
        "OVERLOADED",
        "EXPIRED",
        "WORKER_LOST",
        "REPLY_LOST",
        "TASK_LOST",
    ],
)
def test_an_error_of_the_callers_side_says_what_is_known(code):
    opened = named(timeout_s=2.5)

    error = error_for(opened, code)

    assert (error.type, error.payload["code"]) == (SignalType.ERROR, code)
    assert error.payload["recoverable"] is CODES[code].recoverable
    assert "'echo'" in error.payload["message"]
    assert (error.trace_id, error.parent_id) == (opened.signal.trace_id, opened.signal.id)
    assert error.directed == NAMED
