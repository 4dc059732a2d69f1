"""`cosmo registry`: the live Axons, with load and state."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, TypeVar

import attrs
import click

from ..dendrite import Dendrite
from ..keys import Key
from ..registry import DendriteRecord, NeuronRecord
from ..runtime.printable import printable
from .describe import versions
from .drawing import aligned, show
from .fabric import as_json, fabric_options, on_fabric

R = TypeVar("R", NeuronRecord, DendriteRecord)
_ORDER = {
    NeuronRecord: ("neuron_id", "dendrite_id", "instance"),
    DendriteRecord: ("dendrite_id", "instance"),
}
_TITLES = ("NEURON", "STATE", "OPEN", "RUNNING", "QUEUED", "LAG ms", "DENDRITE", "CAPABILITIES")
_DENDRITE_TITLES = ("DENDRITE", "STATE", "DOES", "AXONS", "SENT OPEN", "AGE", "INSTANCE")
_SHORT_INSTANCE_CHARS = 12


@click.command()
@fabric_options
@click.option("--all", "everyone", is_flag=True, help="Show callers and watchers as well.")
@click.option("--watch", is_flag=True, help="Refresh every second, until Ctrl-C.")
@click.option("--json", "as_lines", is_flag=True, help="Print one JSON object for each Axon.")
def command(
    url: str, key: Key | None, namespace: str, everyone: bool, watch: bool, as_lines: bool
) -> None:
    """Show every live Axon of a namespace, as the Synapse lists them.

    With --all every Dendrite follows: what it does, the tasks that it sent and that are open, and
    since when this Synapse knows it. A line below the table names each Neuron whose replicas take
    or give different things.

    With --watch a Synapse that is not there, or goes away, is waited for.
    """

    async def work(dendrite: Dendrite) -> None:
        async def read() -> str:
            records = in_order(await dendrite.registry_snapshot())
            others = in_order(await dendrite.dendrites_snapshot()) if everyone else []
            if as_lines:
                return _lines([*records, *others])
            return "\n\n".join(
                [table(records, namespace), *([dendrite_table(others)] if others else ())]
            )

        await show(read, "registry", watch=watch, as_lines=as_lines)

    on_fabric(url, key, namespace, work, waits=watch)


def in_order(records: list[R]) -> list[R]:
    """Return the records sorted by neuron if they have one, then by Dendrite."""
    return sorted(records, key=attrgetter(*_ORDER[type(records[0])])) if records else []


def _lines(records: Sequence[NeuronRecord | DendriteRecord]) -> str:
    return "\n".join(as_json(_facts(record)) for record in records)


def _facts(record: NeuronRecord | DendriteRecord) -> dict[str, Any]:
    facts = attrs.asdict(record)
    return facts | {"does": record.does} if isinstance(record, DendriteRecord) else facts


def dendrite_table(records: list[DendriteRecord]) -> str:
    """Return the Dendrites as aligned columns."""
    return aligned(
        [
            _DENDRITE_TITLES,
            *(
                (
                    printable(each.dendrite_id),
                    each.state,
                    each.does,
                    f"{each.axons:,}",
                    f"{each.open:,}",
                    age(each.age_s),
                    each.instance[:_SHORT_INSTANCE_CHARS],
                )
                for each in records
            ),
        ]
    )


def age(seconds: float) -> str:
    """Return an age for people."""
    for unit, length_s in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length_s:
            return f"{seconds / length_s:,.0f} {unit}"
    return f"{seconds:.0f} s"


def table(records: list[NeuronRecord], namespace: str) -> str:
    """Return the records as aligned columns, or a hint when there are none."""
    if not records:
        return f"no Axon is in namespace {namespace}: start a worker, or give another one with -n"
    return "\n".join([aligned([_TITLES, *map(_row, records)]), *versions(records)])


def _row(record: NeuronRecord) -> tuple[str, ...]:
    counts = (record.open, record.running, record.queued, record.loop_lag_ms)
    return (
        printable(record.neuron_id),
        record.state,
        *map(str, counts),
        printable(record.dendrite_id),
        printable(", ".join(record.capabilities)),
    )
