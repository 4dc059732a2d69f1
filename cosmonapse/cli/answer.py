"""`cosmo answer`: answers to what Neurons ask, by hand or from a script."""

from __future__ import annotations

from typing import Any

import click

from ..dendrite import Dendrite
from ..names import checked_name
from .fabric import fabric_options, on_fabric
from .open_questions import OpenQuestions
from .options import TIMEOUT_S, no_nan, read_json, trace
from .replies import StandingAnswers


@click.command()
@fabric_options
@click.option("--once", is_flag=True, help="End after one answer.")
@click.option("--trace", "trace_id", metavar="ID", callback=trace, help="Only of this workflow.")
@click.option("--neuron", metavar="ID", help="Only of this neuron.")
@click.option("--answer", metavar="TEXT", help="Answer every CLARIFICATION so.")
@click.option("--grant/--deny", "granted", default=None, help="Decide every PERMISSION so.")
@click.option(
    "--input",
    callback=read_json,
    metavar="JSON",
    help="Let every neuron that escalates go on with this input.",
)
@click.option("--json", "as_lines", is_flag=True, help="Speak JSON lines, on stdout and on stdin.")
@click.option(
    "--timeout",
    "timeout_s",
    type=TIMEOUT_S,
    callback=no_nan,
    help="Seconds to wait for a question; then it exits with 4.",
)
def command(
    url: str,
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

    It shows each question that is asked from now on and reads the answer from the keyboard; an
    empty line leaves the question to others. Lines of a pipe wait for their questions. With
    --answer, --grant, --deny or --input nobody is asked, and what they do not cover is left to
    others. The end of input, or Ctrl-C, ends it.

    With --json a question is one line, the whole Signal. Its answer is a line
    {"id": ITS ID, "answer": ...}, or "granted": true, or "input": ..., and what became of it comes
    as {"id": ITS ID, "task": ID}; "task" is null if somebody else had answered it before.
    """
    if neuron is not None:
        checked_name("neuron", neuron)
    standing = StandingAnswers(answer, granted, () if input is None else (input,))
    opened: list[OpenQuestions] = []

    def before(dendrite: Dendrite) -> None:
        opened.append(OpenQuestions(dendrite, standing, once, timeout_s, trace_id, neuron))

    async def work(dendrite: Dendrite) -> None:
        await (opened[0].ask_tool() if as_lines else opened[0].ask_person())

    on_fabric(url, namespace, work, before)
