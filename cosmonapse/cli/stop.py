"""`cosmo stop`: end every open task of a trace."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import attrs
import click

from ..dendrite import Dendrite
from ..doppler.durations import length
from ..errors import SynapseRefused
from ..ids import ID_CHARS
from ..keys import Key
from ..registry import TaskRecord
from ..runtime.printable import printable
from ..signals import Signal
from .fabric import as_json, fabric_options, on_fabric
from .options import TIMEOUT_S, no_nan, trace_option
from .ps import state_of

_TIMEOUT = 4
_MAX_NAMED = 10


@click.command()
@click.argument("trace_id", metavar="TRACE", callback=trace_option)
@fabric_options
@click.option("--rollback", is_flag=True, help="Let the Axons undo what they cancel.")
@click.option("--reason", metavar="TEXT", help="Why, for people; it is in the STOP.")
@click.option(
    "--timeout",
    "timeout_s",
    type=TIMEOUT_S,
    callback=no_nan,
    default=6.0,
    show_default=True,
    help="Seconds to wait for the Dendrites that have tasks of it.",
)
@click.option("--json", "whole", is_flag=True, help="Print what was stopped as one JSON object.")
def command(
    trace_id: str,
    url: str,
    key: Key | None,
    namespace: str,
    rollback: bool,
    reason: str | None,
    timeout_s: float,
    whole: bool,
) -> None:
    """Cancel every task of a workflow, of every caller and at every worker.

    TRACE is its trace id, or at least its first 8 characters, if an open task has it and no other
    begins so. Each caller gets the ERROR CANCELLED. Another stop of the same trace does nothing.

    Exit codes: 1 several begin so, or none; 4 a Dendrite that had a task of it did not answer.
    """
    stopped: list[Stopped] = []

    async def work(dendrite: Dendrite) -> None:
        trace, tasks = await _found(dendrite, trace_id)
        answers = await dendrite.stop_trace(
            trace, rollback, reason, collect_acks=True, timeout_s=timeout_s
        )
        stopped.append(Stopped(trace, tasks, answers))

    on_fabric(url, key, namespace, work)
    (told,) = stopped
    click.echo(as_json(told.facts()) if whole else told.text())
    if told.silent():
        sys.exit(_TIMEOUT)


async def _found(dendrite: Dendrite, given: str) -> tuple[str, list[TaskRecord]]:
    """Return the trace that an id, or the beginning of one, stands for, and its open tasks.

    Raises:
        ClickException: No open task has such a trace, or several begin so.
        SynapseRefused: It cannot list tasks, and `given` is not a whole id.
    """
    is_whole = len(given) == ID_CHARS
    try:
        tasks = await dendrite.open_tasks()
    except SynapseRefused:  # an older Synapse passes a STOP on all the same
        if not is_whole:
            raise
        tasks = []
    chosen = [task for task in tasks if task.trace_id.startswith(given)]
    traces = sorted({task.trace_id for task in chosen})
    if not is_whole and len(traces) != 1:
        raise click.ClickException(_not_one(given, traces))
    return (given if is_whole else traces[0]), chosen


def _not_one(given: str, traces: Sequence[str]) -> str:
    if not traces:
        return (
            f"no open task has a trace that begins with {given}; see 'cosmo ps', or give all of it"
        )
    named = ", ".join(traces[:_MAX_NAMED])
    more = f" and {len(traces) - _MAX_NAMED:,} more" if len(traces) > _MAX_NAMED else ""
    return f"{len(traces):,} traces begin with {given}: {named}{more}; give more of it"


@attrs.frozen
class Stopped:
    """What was stopped.

    Args:
        trace_id: The trace.
        tasks: Its open tasks before.
        answers: The STOPPEDs.
    """

    trace_id: str
    tasks: Sequence[TaskRecord]
    answers: Sequence[Signal]

    def silent(self) -> list[str]:
        """Return the names of the Dendrites that had a task of it and did not answer."""
        answered = {str(each.meta.get("instance")) for each in self.answers}
        hosts = {task.instance: task.dendrite_id for task in self.tasks if task.instance}
        return sorted(name for instance, name in hosts.items() if instance not in answered)

    def facts(self) -> dict[str, Any]:
        """Return everything, for programs."""
        return {
            "trace_id": self.trace_id,
            "cancelled": self._count("cancelled"),
            "rolled_back": self._count("rolled_back"),
            "tasks": [attrs.asdict(task) for task in self.tasks],
            "answers": [
                {
                    "dendrite_id": _text(each.payload.get("node")),
                    "instance": _text(each.meta.get("instance")),
                    "cancelled": _number(each.payload.get("cancelled")),
                    "rolled_back": _number(each.payload.get("rolled_back")),
                }
                for each in self.answers
            ],
            "silent": self.silent(),
        }

    def text(self) -> str:
        """Return everything, for people."""
        cancelled, undone = self._count("cancelled"), self._count("rolled_back")
        ended = f"{cancelled:,} {'task' if cancelled == 1 else 'tasks'} cancelled"
        lines = [f"{self.trace_id}: {ended}" + (f", {undone:,} rolled back" if undone else "")]
        lines += [f"- was {state_of(task)}: {_described(task)}" for task in self.tasks]
        did = [(each, _number(each.payload.get("cancelled"))) for each in self.answers]
        lines += [f"- {_node(each)} cancelled {count:,}" for each, count in did if count]
        idle = sum(not count for _, count in did)
        if idle:
            lines.append(f"- {idle:,} more answered that they had nothing to cancel")
        lines += [
            f"- {printable(name)} did not answer: its function may still run"
            for name in self.silent()
        ]
        return "\n".join(lines)

    def _count(self, key: str) -> int:
        return sum(_number(each.payload.get(key)) for each in self.answers)


def _described(task: TaskRecord) -> str:
    where = f" at {task.dendrite_id}" if task.dendrite_id else ""
    sender = f", sent by {task.caller}" if task.caller else ""
    name = task.neuron or ",".join(task.capabilities) or "a task"
    return printable(f"{name}{where}, for {length(task.age_s)}{sender}")


def _node(stopped: Signal) -> str:
    return printable(_text(stopped.payload.get("node")) or "a Dendrite")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> int:
    return value if value.__class__ is int and isinstance(value, int) and value > 0 else 0
