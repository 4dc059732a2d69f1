"""`cosmo dispatch`: one TASK from the terminal."""

from __future__ import annotations

import json
import math
from typing import Any

import attrs
import click

from ..delivery import destination
from ..dendrite import Dendrite
from .fabric import as_json, fabric_options, on_fabric


def _read_json(context: click.Context, option: click.Parameter, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        hint = """write such as '{"prompt": "hello"}'"""
        raise click.BadParameter(f"no JSON: {error}; {hint}") from None


def _no_nan(context: click.Context, option: click.Parameter, value: float) -> float:
    if math.isnan(value):
        raise click.BadParameter("nan is no length of time")
    return value


@click.command()
@fabric_options
@click.option("--neuron", metavar="ID", help="Which neuron.")
@click.option("--capabilities", metavar="A,B", help="Or: anyone who offers all of these.")
@click.option("--input", "given", callback=_read_json, required=True, help="What it gets, as JSON.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, 2_592_000, min_open=True),
    callback=_no_nan,
    default=30.0,
    show_default=True,
    help="Seconds.",
)
@click.option("--json", "whole", is_flag=True, help="Print the whole Signal, on one line.")
def command(
    url: str,
    namespace: str,
    neuron: str | None,
    capabilities: str | None,
    given: Any,
    timeout: float,
    whole: bool,
) -> None:
    """Send one TASK and print what it gives.

    Exit codes: 1 the Neuron failed, 2 usage, 3 nobody there, 4 timeout.
    """
    if (neuron is None) == (capabilities is None):
        raise click.UsageError("name either --neuron or --capabilities")
    wanted = None if capabilities is None else capabilities.split(",")
    destination(neuron, wanted)  # a name that is none is told before anything is connected

    async def work(dendrite: Dendrite) -> None:
        reply = await dendrite.dispatch_and_wait(
            neuron=neuron, capabilities=wanted, input=given, timeout_s=timeout
        )
        if whole:
            click.echo(as_json({**attrs.asdict(reply), "type": reply.type.value}))
        output = reply.output  # an ERROR or a question is raised here, and ends in its exit code
        if not whole:
            click.echo(as_json(output, indent=2))

    on_fabric(url, namespace, work)
