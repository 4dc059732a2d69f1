"""`cosmo demo`: a whole fabric in one process tree."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

import click

from ..contexts import NO_CONTEXT
from ..demo.show import QUESTION, show
from ..runtime.environment import CONTEXT_VARIABLE, KEY_VARIABLE
from ..runtime.loops import run
from ..runtime.printable import printable_lines
from .variables import in_the_environment


def _say(text: str, nl: bool = True) -> None:
    click.echo(printable_lines(text), nl=nl)


@click.command()
@click.option(
    "--keep", is_flag=True, help="Keep the processes running and print the URLs; Ctrl-C ends them."
)
@click.option("--question", default=QUESTION, show_default=True, help="The question to ask.")
def command(keep: bool, question: str, **_: Any) -> None:
    """Start a Synapse, two replicas and a Flask edge; ask a question over HTTP; show all of it.

    With HF_TOKEN set, a model of Hugging Face answers. Without it, an offline Neuron finds the
    answer in the documentation.
    """
    # Its Synapse is its own, whatever fabric this user works with.
    with in_the_environment({CONTEXT_VARIABLE: NO_CONTEXT, KEY_VARIABLE: ""}):
        run(_until_told(show(question, keep, _say)))


async def _until_told(showing: Coroutine[Any, Any, None]) -> None:
    """Show, and end the processes in order at SIGTERM and when the terminal is closed, too."""
    task = asyncio.ensure_future(showing)
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
