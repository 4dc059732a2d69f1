"""The task that runs around the calling code, for the lines of a log.

A context variable, so that it holds in whatever a Neuron awaits, starts and calls in a thread. It
is set only once somebody follows it: for a Neuron that answers at once it would be measurable.
"""

from __future__ import annotations

from contextvars import ContextVar

CurrentTask = tuple[str, str]
"""The workflow `trc_...` of the task that a Neuron runs for, and the id of its Axon. A plain tuple:
each task makes one."""

CURRENT: ContextVar[CurrentTask | None] = ContextVar("cosmonapse_current_task", default=None)
"""Set by the worker's side around each Neuron while `is_followed`."""

is_followed = False
"""Whether anybody reads it."""


def follow() -> None:
    """Let the worker's side set it from the next task on, for as long as the process lives."""
    global is_followed
    is_followed = True


def fields_of(trace_id: str, neuron: str = "-") -> dict[str, str]:
    """Return the `extra` of a log line about a task, from where no Neuron runs."""
    return {"trace_id": trace_id, "neuron": neuron}


def current_trace_id() -> str | None:
    """Return the trace id of the task around the caller; None outside a task, or unfollowed."""
    task = CURRENT.get()
    return None if task is None else task[0]


def current_neuron() -> str | None:
    """Return the id of the Axon whose Neuron runs around the caller; None where none does."""
    task = CURRENT.get()
    return None if task is None else task[1]
