"""`cosmo dispatch`: one TASK from the terminal."""

from __future__ import annotations

from typing import Any

import click

from ..dendrite import Dendrite
from ..payloads import response_text
from ..runtime.printable import printable_lines
from ..tasks import destination
from .fabric import as_json, fabric_options, on_fabric, signal_as_json
from .options import TIMEOUT_S, no_nan, read_json


@click.command()
@fabric_options
@click.option("--neuron", metavar="ID", help="Send it to this neuron.")
@click.option(
    "--capabilities", metavar="A,B", help="Or: send it to a neuron with all of these capabilities."
)
@click.option("--input", callback=read_json, required=True, help="The input, as JSON.")
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
    url: str, namespace: str, capabilities: str | None, pieces: bool, whole: bool, **task: Any
) -> None:
    """Send one TASK and print its output.

    Exit codes: 1 the Neuron failed, 2 usage, 3 no such neuron or no Synapse, 4 timeout. Ctrl-C
    cancels the TASK.
    """
    if (task["neuron"] is None) == (capabilities is None):
        raise click.UsageError("give either --neuron or --capabilities, and not both")
    task["capabilities"] = None if capabilities is None else capabilities.split(",")
    destination(
        task["neuron"], task["capabilities"]
    )  # an invalid name is reported before we connect

    async def work(dendrite: Dendrite) -> None:
        await (_stream if pieces else _wait)(dendrite, task, whole)

    on_fabric(url, namespace, work)


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
