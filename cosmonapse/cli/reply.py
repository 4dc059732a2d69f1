"""`cosmo reply`: a shell command as a Neuron."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import attrs
import click

from ..axon import Axon
from ..dendrite import Dendrite
from ..dendrite.worker.context import TaskContext
from ..doppler.durations import length
from ..doppler.signal_filter import SHORT_TRACE_CHARS
from ..errors import NeuronError
from ..keys import Key
from ..names import checked_capabilities, checked_name
from ..runtime.environment import KEY_VARIABLE, NAMESPACE_VARIABLE, URL_VARIABLE
from .fabric import KEY_FILE, as_json, fabric_options, on_fabric
from .options import TIMEOUT_S, no_nan, not_empty
from .shell_process import MAX_OUTPUT_BYTES, Finished, ShellProcess
from .std_streams import complain

TRACE_VARIABLE: Final = "COSMO_TRACE_ID"
TASK_VARIABLE: Final = "COSMO_TASK_ID"
NEURON_VARIABLE: Final = "COSMO_NEURON"


@click.command()
@click.argument("neuron", metavar="ID")
@fabric_options
@click.option(
    "--exec",
    "shell",
    metavar="CMD",
    required=True,
    callback=not_empty,
    help="The command, for /bin/sh -c.",
)
@click.option(
    "--capability", "capabilities", metavar="NAME", multiple=True, help="Repeatable: it offers it."
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 10_000),
    default=1,
    show_default=True,
    help="How many commands run at a time; other tasks wait.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=TIMEOUT_S,
    callback=no_nan,
    help="Seconds that a command may run.  [default: the time of its task]",
)
@click.option("--stream", "streams", is_flag=True, help="Send each line as it is written.")
@click.option("--json", "as_lines", is_flag=True, help="Print one JSON object for each task.")
@click.pass_context
def command(
    context: click.Context,
    neuron: str,
    url: str,
    key: Key | None,
    namespace: str,
    shell: str,
    capabilities: tuple[str, ...],
    concurrency: int,
    timeout_s: float | None,
    streams: bool,
    as_lines: bool,
) -> None:
    """Answer TASKs for the neuron ID with a shell command, until Ctrl-C or SIGTERM.

    The input of a task is JSON on stdin; nothing of it is in the command line. What the command
    writes to stdout is the output: as JSON if it is that, else as text: {"response": text}. An exit
    code other than 0 is the ERROR COMMAND_FAILED, with the end of stderr. For example:
    cosmo reply wordcount --exec "jq -r .prompt | wc -w"

    COSMO_TRACE_ID, COSMO_TASK_ID and COSMO_NEURON are in its environment, and COSMO_URL and
    COSMO_NAMESPACE as they are here. When its task is cancelled or late, the command and all that
    it started get SIGTERM, and SIGKILL half a second later.
    """
    places = {URL_VARIABLE: url, NAMESPACE_VARIABLE: namespace}
    if KEY_FILE in context.meta:
        places[KEY_VARIABLE] = os.path.abspath(context.meta[KEY_FILE])
    told = _print_json if as_lines else _print_line
    replies = ShellNeuron(shell, timeout_s, {**os.environ, **places}, told)
    axon = Axon(
        neuron_id=checked_name("ID", neuron),
        neuron_fn=replies.stream if streams else replies.answer,
        capabilities=checked_capabilities(capabilities),
        concurrency=concurrency,
    )

    def before(dendrite: Dendrite) -> None:
        dendrite.attach_axon(axon)

    async def work(dendrite: Dendrite) -> None:
        complain(f"{neuron} answers in namespace {namespace} at {url}; Ctrl-C ends it")
        await dendrite.serve()

    on_fabric(url, key, namespace, work, before)


@attrs.frozen
class Ran:
    """One task that a command has answered.

    Args:
        context: Of the task.
        finished: What came of the command; None if it was ended before.
    """

    context: TaskContext
    finished: Finished | None

    @property
    def end(self) -> str:
        """How it ended, for people."""
        if self.finished is None:
            return "cancelled"
        if self.finished.has_expired:
            return "too late"
        if self.finished.is_too_long:
            return "too much output"
        return _ended_by(self.finished.code)


@attrs.frozen
class ShellNeuron:
    """A Neuron that starts a command for each task.

    Args:
        command: For `/bin/sh -c`.
        timeout_s: How long it may run; None for the time of its task.
        environment: The environment, without what is of a task.
        told: Called when a command has ended.
    """

    command: str
    timeout_s: float | None
    environment: dict[str, str]
    told: Callable[[Ran], None]

    async def answer(self, given: Any, context: TaskContext) -> Any:
        """Run the command; return its output."""
        finished = None
        try:
            async with self._started(given, context) as process:
                finished = await process.finished()
        finally:
            self.told(Ran(context, finished))
        return self._output(finished)

    async def stream(self, given: Any, context: TaskContext) -> AsyncIterator[Any]:
        """Run the command; yield each line, and then its output."""
        finished = None
        try:
            async with self._started(given, context, streams=True) as process:
                async for line in process.lines():
                    yield line
                finished = await process.finished()
        finally:
            self.told(Ran(context, finished))
        output = self._output(finished)
        yield output if isinstance(output, dict) else {"value": output}

    def _started(
        self, given: Any, context: TaskContext, *, streams: bool = False
    ) -> contextlib.AbstractAsyncContextManager[ShellProcess]:
        task = context.task
        environment = {
            **self.environment,
            TRACE_VARIABLE: task.trace_id,
            TASK_VARIABLE: task.id,
            NEURON_VARIABLE: (task.directed.id if task.directed else None) or "",
        }
        body = as_json(given).encode() + b"\n"
        return ShellProcess.started(self.command, body, environment, self.timeout_s, streams)

    def _output(self, finished: Finished) -> Any:
        """Return the output of a command that has ended.

        Raises:
            NeuronError: It failed.
        """
        if finished.has_expired:
            late = f"the command ran for over {self.timeout_s:g} s and was ended"
            raise NeuronError("COMMAND_TIMEOUT", late)
        if finished.is_too_long:
            most = f"the command wrote over {MAX_OUTPUT_BYTES:,} bytes and was ended"
            raise NeuronError("BAD_OUTPUT", most)
        if finished.code:
            said = finished.errors.decode(errors="replace").strip()
            end = f"the command ended with {_ended_by(finished.code)}"
            raise NeuronError("COMMAND_FAILED", f"{end}: {said}" if said else end)
        return output_of(finished.output)


def output_of(written: bytes) -> Any:
    """Return the output that stdout stands for: JSON, else text, else the bytes as they are."""
    try:
        text = written.decode()
    except UnicodeDecodeError:
        return written
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return {"response": text.removesuffix("\n")}


def _ended_by(code: int) -> str:
    """Return how a process ended, for people."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def _print_line(ran: Ran) -> None:
    took = "" if ran.finished is None else f", {length(ran.finished.took_s)}"
    click.echo(f"{ran.context.trace_id[:SHORT_TRACE_CHARS]}  {ran.end}{took}")


def _print_json(ran: Ran) -> None:
    finished = ran.finished
    facts = {
        "trace_id": ran.context.trace_id,
        "task_id": ran.context.task.id,
        "end": ran.end,
        "exit_code": None if finished is None else finished.code,
        "took_s": None if finished is None else finished.took_s,
        "output_bytes": None if finished is None else len(finished.output),
    }
    click.echo(as_json(facts))
