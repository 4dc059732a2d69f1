"""`cosmo registry`: the live Axons, with load and state."""

from __future__ import annotations

import asyncio
import sys

import attrs
import click

from ..dendrite import Dendrite
from ..doppler.columns import cut
from ..registry import NeuronRecord
from ..runtime.printable import printable
from ..runtime.reachable import when_reachable
from .fabric import as_json, fabric_options, on_fabric
from .std_streams import complain, terminal_size

_EVERY_S = 1.0
_TITLES = ("NEURON", "STATE", "OPEN", "RUNNING", "QUEUED", "LAG ms", "DENDRITE", "CAPABILITIES")
_HOME, _TO_LINE_END, _TO_SCREEN_END, _CLEAR = "\x1b[H", "\x1b[K", "\x1b[J", "\x1b[2J"


@click.command()
@fabric_options
@click.option("--watch", is_flag=True, help="Refresh every second, until Ctrl-C.")
@click.option("--json", "as_lines", is_flag=True, help="Print one JSON object for each Axon.")
def command(url: str, namespace: str, watch: bool, as_lines: bool) -> None:
    """Show every live Axon of a namespace, as the Synapse lists them.

    With --watch a Synapse that is not there, or goes away, is waited for.
    """
    redraws = watch and not as_lines and sys.stdout.isatty()

    async def work(dendrite: Dendrite) -> None:
        if redraws:
            click.echo(_CLEAR, nl=False)
        while True:
            read = dendrite.registry_snapshot
            records = in_order(await (when_reachable(read, complain) if watch else read()))
            text = _lines(records) if as_lines else table(records, namespace)
            if redraws:
                click.echo(_screen(text), nl=False)
            else:
                click.echo(text, nl=bool(records))
            if not watch:
                return
            await asyncio.sleep(_EVERY_S)

    on_fabric(url, namespace, work, waits=watch)


def in_order(records: list[NeuronRecord]) -> list[NeuronRecord]:
    """Return the records sorted by neuron, then by Dendrite."""
    return sorted(records, key=lambda each: (each.neuron_id, each.dendrite_id, each.instance))


def _screen(text: str) -> str:
    """Return the text that replaces the contents of the terminal, without a blank moment."""
    columns, rows = terminal_size()
    lines = text.rstrip("\n").split("\n")
    if len(lines) >= rows:
        shown = max(0, rows - 2)
        lines = [*lines[:shown], f"... {len(lines) - shown:,} more; see 'cosmo registry'"]
    drawn = "".join(f"{cut(line, columns)}{_TO_LINE_END}\n" for line in lines)
    return f"{_HOME}{drawn}{_TO_SCREEN_END}"


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
