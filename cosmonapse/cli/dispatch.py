"""`cosmo dispatch`: one TASK from the terminal."""

from __future__ import annotations

import contextlib
from typing import Any

import click
from click.core import ParameterSource

from ..dendrite import Dendrite
from ..errors import NeuronError, RemoteError
from ..keys import Key
from ..payloads import response_text
from ..runtime.printable import printable_lines
from ..tasks import destination
from .fabric import as_json, fabric_options, on_fabric, signal_as_json
from .live_names import near_text
from .options import TIMEOUT_S, no_nan
from .task_input import context_ref_option, input_of, input_option, place


@click.command()
@click.argument("words", metavar="[NEURON] [INPUT]", nargs=-1)
@fabric_options
@click.option("--neuron", metavar="ID", help="The neuron, instead of the first argument.")
@click.option(
    "--capabilities", metavar="A,B", help="Instead of a neuron: any one with all of these."
)
@click.option(
    "--input",
    callback=input_option,
    metavar="JSON",
    help="The input as JSON, instead of the second argument; - and @FILE too.",
)
@click.option(
    "--context-ref",
    callback=context_ref_option,
    metavar="TEXT",
    help="What the context_fetcher of the neuron receives: the name of a session, or JSON.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=TIMEOUT_S,
    callback=no_nan,
    default=30.0,
    show_default=True,
    help="Seconds to wait for the reply.",
)
@click.option("--stream", "pieces", is_flag=True, help="Print each piece of text as it arrives.")
@click.option("--json", "whole", is_flag=True, help="Print whole Signals, each on one line.")
@click.option(
    "--answer-elsewhere",
    is_flag=True,
    help="If the Neuron asks a question, wait until `cosmo answer` or another Dendrite answers it.",
)
def command(
    words: tuple[str, ...],
    url: str,
    key: Key | None,
    namespace: str,
    neuron: str | None,
    capabilities: str | None,
    input: Any,
    pieces: bool,
    whole: bool,
    **task: Any,
) -> None:
    """Send one TASK and print its output.

    INPUT is text, which becomes {"prompt": text}; or JSON, if it begins with { or [; or - for
    stdin; or @FILE. For example: cosmo dispatch writer "Why is the sky blue?"

    Exit codes: 1 the Neuron failed, 2 usage, 3 no such neuron or no Synapse, 4 timeout. Ctrl-C
    cancels the TASK.
    """
    if neuron is not None and capabilities is not None:
        raise click.UsageError("give either a neuron or --capabilities, and not both")
    is_addressed = neuron is not None or capabilities is not None
    has_input = _is_given("input")
    neuron, text = place(words, neuron, is_addressed, has_input)
    task["neuron"] = neuron
    task["capabilities"] = None if capabilities is None else capabilities.split(",")
    destination(neuron, task["capabilities"])  # an invalid name is reported before we connect
    task["input"] = input if has_input else input_of(text)

    async def work(dendrite: Dendrite) -> None:
        try:
            await (_stream if pieces else _wait)(dendrite, task, whole)
        except NeuronError as error:
            if error.code == "NO_SUCH_NEURON" and (meant := await _meant(dendrite, neuron)):
                raise NeuronError(error.code, f"{error.message}; {meant}") from error
            raise

    on_fabric(url, key, namespace, work)


def _is_given(option: str) -> bool:
    """Return whether an option is on the command line; the JSON null is a value, too."""
    context = click.get_current_context()
    return context.get_parameter_source(option) is ParameterSource.COMMANDLINE


async def _meant(dendrite: Dendrite, neuron: str | None) -> str:
    """Return a question with the live ids that a wrong one may mean; empty if none is near."""
    if neuron is None:
        return ""
    with contextlib.suppress(RemoteError, TimeoutError):
        return near_text(neuron, await dendrite.find_neurons())
    return ""  # the roster cannot be had, and the error of the TASK says enough


async def _wait(dendrite: Dendrite, task: dict[str, Any], whole: bool) -> None:
    reply = await dendrite.dispatch_and_wait(**task)
    if whole:
        click.echo(signal_as_json(reply))
    output = reply.output  # an ERROR or a question is raised here, and ends in its exit code
    if not whole:
        click.echo(as_json(output, indent=2))


async def _stream(dendrite: Dendrite, task: dict[str, Any], whole: bool) -> None:
    said = False
    async with await dendrite.dispatch(**task) as pathway:
        try:
            async for signal in pathway:
                if whole:
                    click.echo(signal_as_json(signal))
                elif (text := response_text(signal)) is not None:
                    said = True
                    click.echo(printable_lines(text), nl=False)
        finally:
            if said:
                click.echo()
        output = (await pathway.outcome()).output
        if not (said or whole):
            click.echo(as_json(output, indent=2))
