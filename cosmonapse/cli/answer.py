"""`cosmo answer`: answers to questions of Neurons, by hand or from a script."""

from __future__ import annotations

from typing import Any

import click

from ..dendrite import Dendrite
from ..keys import Key
from ..names import checked_name
from .fabric import fabric_options, on_fabric
from .open_questions import OpenQuestions
from .options import TIMEOUT_S, json_option, no_nan, trace_option
from .replies import StandingAnswers


@click.command()
@fabric_options
@click.option("--once", is_flag=True, help="End after one answer.")
@click.option(
    "--trace",
    "trace_id",
    metavar="ID",
    callback=trace_option,
    help="Only questions of this workflow: its trace id, or at least its first 8 characters.",
)
@click.option("--neuron", metavar="ID", help="Answer questions of this neuron only.")
@click.option("--answer", metavar="TEXT", help="Answer every CLARIFICATION with this text.")
@click.option("--grant/--deny", "granted", default=None, help="Grant, or deny, every PERMISSION.")
@click.option(
    "--input",
    callback=json_option,
    metavar="JSON",
    help="Send this input to every neuron that escalates.",
)
@click.option(
    "--json", "as_lines", is_flag=True, help="Write questions and read answers as lines of JSON."
)
@click.option(
    "--timeout",
    "timeout_s",
    type=TIMEOUT_S,
    callback=no_nan,
    help="Seconds to wait for a question; after that, exit with code 4.",
)
def command(
    url: str,
    key: Key | None,
    namespace: str,
    once: bool,
    trace_id: str | None,
    neuron: str | None,
    answer: str | None,
    granted: bool | None,
    input: Any,
    as_lines: bool,
    timeout_s: float | None,
) -> None:
    """Answer the CLARIFICATIONs, PERMISSIONs and ESCALATIONs of a namespace.

    Each question that arrives from now on is shown, and its answer is read from the keyboard. An
    empty line leaves the question to others. Lines of a pipe are used one for each question. With
    --answer, --grant, --deny or --input the keyboard is not read; questions of other types are left
    to others. The end of input, or Ctrl-C, ends the command.

    With --json a question is one line, the whole Signal. Its answer is a line
    {"id": ITS ID, "answer": ...}, or "granted": true, or "input": ... The result is a line
    {"id": ITS ID, "task": ID}; "task" is null if the question was answered before.
    """
    if neuron is not None:
        checked_name("neuron", neuron)
    standing = StandingAnswers(answer, granted, () if input is None else (input,))
    opened: list[OpenQuestions] = []

    def before(dendrite: Dendrite) -> None:
        opened.append(OpenQuestions(dendrite, standing, once, timeout_s, trace_id, neuron))

    async def work(dendrite: Dendrite) -> None:
        await (opened[0].ask_tool() if as_lines else opened[0].ask_person())

    on_fabric(url, key, namespace, work, before)
