"""`cosmo bench`: the speed of a fabric, measured with an echo Axon of its own."""

from __future__ import annotations

import os
from typing import IO

import click

from ..bench import machine, output, own, plot
from ..bench.children import BenchError
from ..bench.progress import Progress
from ..dendrite import Dendrite
from ..keys import Key
from ..runtime.environment import KEY_VARIABLE
from ..synapse.schemes import is_on_nats
from .fabric import KEY_FILE, fabric_options, on_fabric
from .options import no_nan

_FILE = click.File("w", lazy=True)


@click.command()
@click.argument("kind", type=click.Choice(sorted(own.KINDS)))
@fabric_options
@click.option(
    "--seconds",
    type=click.FloatRange(0, 3600, min_open=True),
    callback=no_nan,
    default=10.0,
    show_default=True,
    help="Length of the measurement, without the start.",
)
@click.option(
    "--json",
    "json_file",
    metavar="FILE",
    type=_FILE,
    help="Write the figures as JSON; - is stdout.",
)
@click.option(
    "--csv", "csv_file", metavar="FILE", type=_FILE, help="Write the figures as CSV, one a line."
)
@click.option("--svg", metavar="FILE", type=_FILE, help="Write a plot of the figures.")
def command(
    kind: str,
    url: str,
    key: Key | None,
    namespace: str,
    seconds: float,
    json_file: IO[str] | None,
    csv_file: IO[str] | None,
    svg: IO[str] | None,
) -> None:
    """Measure a fabric that is running.

    latency: duration of a call; throughput: calls answered in a second; fanout: Signals delivered
    to 1, 10 and 50 subscribers (watchers of MEMORY_APPEND receive them too); stream: tokens in a
    second. Exit codes: 1 a process failed, 2 usage, 3 no Synapse.
    """
    if url.startswith("memory:"):
        raise click.UsageError(
            "the bench measures between processes and memory:// is in one: give another --url"
        )
    on_fabric(url, key, namespace, _nothing)  # a wrong address is reported before processes start
    key_file = click.get_current_context().meta.get(KEY_FILE)
    if key_file is not None:  # the processes that it starts join as every program does
        os.environ[KEY_VARIABLE] = key_file
    progress = Progress(own.steps(kind))
    try:
        report = own.KINDS[kind](own.Target(url, namespace, seconds, progress.step))
    except BenchError as error:
        raise click.ClickException(str(error).strip().splitlines()[-1]) from None
    finally:
        progress.close()
    facts = machine.machine(*(["nats-py"] if is_on_nats(url) else ()))
    shown = ", ".join(f"{name} {value}" for name, value in facts.items())
    found = output.found(facts, {"seconds": seconds}, {kind: report})
    if not any(each is not None and each.name == "-" for each in (json_file, csv_file, svg)):
        click.echo("\n\n".join([shown, *map(str, report.tables)]))
    if json_file is not None:
        json_file.write(output.as_json(found))
    if csv_file is not None:
        csv_file.write(output.as_csv(found))
    if svg is not None:
        svg.write(plot.svg(report.plots[0], f"{facts['cores']} cores"))


async def _nothing(dendrite: Dendrite) -> None:
    return
