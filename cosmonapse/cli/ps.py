"""`cosmo ps`: the open tasks, with both ends, age and remaining time."""

from __future__ import annotations

import attrs
import click

from ..dendrite import Dendrite
from ..doppler.durations import length
from ..doppler.signal_filter import SHORT_TRACE_CHARS
from ..keys import Key
from ..names import checked_name
from ..registry import TaskRecord
from ..runtime.printable import printable
from ..synapse.connect import chosen_key
from .drawing import aligned, show
from .fabric import as_json, fabric_options, on_fabric
from .options import trace_option

_TITLES = ("TRACE", "STATE", "AGE", "LEFT", "NEURON", "WORKER", "CALLER", "BYTES")
_SHORT_INSTANCE_CHARS = 12
_ONLY_ITS_OWN = "a key without the right watch sees only the tasks that it sent"


@click.command()
@fabric_options
@click.option("--neuron", metavar="ID", help="Show only tasks that this neuron has.")
@click.option(
    "--caller",
    metavar="NAME",
    help="Show only tasks of this caller: a Dendrite, a key, or the beginning of an instance id.",
)
@click.option(
    "--trace",
    "trace_id",
    metavar="ID",
    callback=trace_option,
    help="Show only this workflow: its trace id, or at least its first 8 characters.",
)
@click.option("--watch", is_flag=True, help="Refresh every second, until Ctrl-C.")
@click.option("--json", "as_lines", is_flag=True, help="Print one JSON object for each task.")
def command(
    url: str,
    key: Key | None,
    namespace: str,
    neuron: str | None,
    caller: str | None,
    trace_id: str | None,
    watch: bool,
    as_lines: bool,
) -> None:
    """Show every open task of a namespace, the oldest first, as the Synapse lists them.

    AGE is since when this Synapse knows it, LEFT the time until its deadline. STATE is running (a
    worker has it, in its queue or at work) or stopping (its caller has cancelled it); right after a
    start of the Synapse also parked or wanted: no worker has it yet. `cosmo stop TRACE` ends one.

    With keys, without the right watch, only the tasks that your key sent are shown. With --watch a
    Synapse that is not there, or goes away, is waited for.
    """
    if neuron is not None:
        checked_name("neuron", neuron)
    chosen = Chosen(neuron, caller, trace_id)

    async def work(dendrite: Dendrite) -> None:
        async def read() -> str:
            tasks = chosen.of(await dendrite.open_tasks())
            if as_lines:
                return "\n".join(as_json(attrs.asdict(task)) for task in tasks)
            return table(tasks) if tasks else chosen.none(namespace, chosen_key(key))

        await show(read, "ps", watch=watch, as_lines=as_lines)

    on_fabric(url, key, namespace, work, waits=watch)


@attrs.frozen
class Chosen:
    """Which tasks are shown.

    Args:
        neuron: Only those that it has.
        caller: Only those of a Dendrite, a key or an instance id that begins so.
        trace_id: Only those of a workflow, by its id or the beginning of it.
    """

    neuron: str | None = None
    caller: str | None = None
    trace_id: str | None = None

    def of(self, tasks: list[TaskRecord]) -> list[TaskRecord]:
        """Return the tasks that are shown, the oldest first."""
        return sorted((each for each in tasks if self._shows(each)), key=lambda task: -task.age_s)

    def _shows(self, task: TaskRecord) -> bool:
        return (
            (self.neuron is None or task.neuron == self.neuron)
            and (self.trace_id is None or task.trace_id.startswith(self.trace_id))
            and (self.caller is None or self._is_of(task, self.caller))
        )

    @staticmethod
    def _is_of(task: TaskRecord, caller: str) -> bool:
        is_named = caller in (task.caller, task.user)
        is_id = len(caller) >= _SHORT_INSTANCE_CHARS and task.caller_instance.startswith(caller)
        return is_named or is_id

    def none(self, namespace: str, key: Key | None) -> str:
        """Return the line for no task."""
        parts = (("of neuron", self.neuron), ("of caller", self.caller), ("on", self.trace_id))
        wanted = "".join(f" {word} {printable(value)}" for word, value in parts if value)
        hint = _ONLY_ITS_OWN if key is not None else "give another namespace with -n"
        return f"no task{wanted} is open in namespace {namespace}; {hint}"


def table(tasks: list[TaskRecord]) -> str:
    """Return tasks as aligned columns."""
    return aligned([_TITLES, *map(_row, tasks)])


def _row(task: TaskRecord) -> tuple[str, ...]:
    return (
        task.trace_id[:SHORT_TRACE_CHARS],
        state_of(task),
        length(task.age_s),
        "-" if task.remaining_s is None else length(task.remaining_s),
        printable(task.neuron or ",".join(task.capabilities) or "-"),
        printable(task.dendrite_id or "-"),
        printable(_caller(task)),
        "-" if task.bytes is None else f"{task.bytes:,}",
    )


def state_of(task: TaskRecord) -> str:
    """Return the state for people."""
    return "stopping" if task.cancelled and task.state == "running" else task.state


def _caller(task: TaskRecord) -> str:
    name = task.caller or f"gone ({task.caller_instance[:_SHORT_INSTANCE_CHARS]})"
    return f"{name} ({task.user})" if task.user and task.user != name else name
