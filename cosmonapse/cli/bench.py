"""`cosmo bench`: how fast is the fabric at hand? With an echo Axon that it brings along."""

from __future__ import annotations

from typing import IO

import click

from ..bench import machine, output, own, plot
from ..bench.children import BenchError
from ..bench.progress import Progress
from ..dendrite import Dendrite
from .fabric import fabric_options, on_fabric
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
    help="How long to measure, without starting.",
)
@click.option("--json", "json_file", metavar="FILE", type=_FILE, help="The figures; - is stdout.")
@click.option("--csv", "csv_file", metavar="FILE", type=_FILE, help="The same, one a line.")
@click.option("--svg", metavar="FILE", type=_FILE, help="A plot of them.")
def command(
    kind: str,
    url: str,
    namespace: str,
    seconds: float,
    json_file: IO[str] | None,
    csv_file: IO[str] | None,
    svg: IO[str] | None,
) -> None:
    """Measure the fabric at hand.

    latency: how long a call takes; throughput: how many are answered; fanout: how much of a
    publisher's reaches 1, 10 and 50 subscribers (watchers of MEMORY_APPEND see them too); stream:
    how fast tokens come. Exit codes: 1 a process failed, 2 usage, 3 nobody there.
    """
    if url.startswith("memory:"):
        raise click.UsageError("memory:// is in one process, and this measures between processes")
    on_fabric(url, namespace, _nothing)  # what is wrong with the address is told before we start
    progress = Progress(own.steps(kind))
    try:
        report = own.KINDS[kind](own.Target(url, namespace, seconds, progress.step))
    except BenchError as error:
        raise click.ClickException(str(error).strip().splitlines()[-1]) from None
    finally:
        progress.close()
    facts = machine.machine()
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
