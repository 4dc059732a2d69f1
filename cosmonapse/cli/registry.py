"""`cosmo registry`: the live Axons, with load and state."""

from __future__ import annotations

import asyncio

import attrs
import click

from ..dendrite import Dendrite
from ..registry import NeuronRecord
from ..runtime.printable import printable
from .fabric import as_json, fabric_options, on_fabric

_EVERY_S = 1.0
_TITLES = ("NEURON", "STATE", "OPEN", "RUNNING", "QUEUED", "LAG ms", "DENDRITE", "CAPABILITIES")


@click.command()
@fabric_options
@click.option("--watch", is_flag=True, help="Refresh every second, until Ctrl-C.")
@click.option("--json", "as_lines", is_flag=True, help="Print one JSON object for each Axon.")
def command(url: str, namespace: str, watch: bool, as_lines: bool) -> None:
    """Show every live Axon of a namespace, as the Synapse lists them."""

    async def work(dendrite: Dendrite) -> None:
        while True:
            records = await dendrite.registry_snapshot()
            if watch and not as_lines:
                click.clear()
            click.echo(_lines(records) if as_lines else table(records, namespace), nl=bool(records))
            if not watch:
                return
            await asyncio.sleep(_EVERY_S)

    on_fabric(url, namespace, work)


def _lines(records: list[NeuronRecord]) -> str:
    return "\n".join(as_json(attrs.asdict(record)) for record in records)


def table(records: list[NeuronRecord], namespace: str) -> str:
    """Return the records as aligned columns, or a hint when there are none."""
    if not records:
        return f"no Axon is in namespace {namespace}: start a worker, or give another one with -n\n"
    rows = [_TITLES, *map(_row, records)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_TITLES))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _row(record: NeuronRecord) -> tuple[str, ...]:
    counts = (record.open, record.running, record.queued, record.loop_lag_ms)
    return (
        printable(record.neuron_id),
        record.state,
        *map(str, counts),
        printable(record.dendrite_id),
        printable(", ".join(record.capabilities)),
    )
