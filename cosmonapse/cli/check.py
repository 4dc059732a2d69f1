"""`cosmo check`: the health of a fabric, as text and as an exit code for monitoring."""

from __future__ import annotations

import sys
from typing import Any

import attrs
import click

from ..dendrite import Dendrite
from ..errors import RemoteError
from ..health import Level, Verdict, verdict
from ..names import checked_name
from ..registry import NeuronRecord, SynapseState
from ..runtime.printable import printable
from .fabric import as_json, fabric_options, on_fabric
from .registry import table


@click.command()
@fabric_options
@click.option(
    "--neuron", "wanted", metavar="ID", multiple=True, help="This neuron must be alive; repeatable."
)
@click.option("--json", "whole", is_flag=True, help="Print everything as one JSON object.")
def command(url: str, namespace: str, wanted: tuple[str, ...], whole: bool) -> None:
    """Check the health of a fabric.

    Exit codes: 0 healthy; 1 an Axon is stuck or away, or the Synapse is stopping; 2 no Synapse, or
    a neuron named by --neuron is not alive.
    """
    for neuron in wanted:
        checked_name("--neuron", neuron)
    found: list[Level] = []

    async def work(dendrite: Dendrite) -> None:
        state = await dendrite.synapse_state()
        records = await dendrite.registry_snapshot()
        judged = verdict(state, records, wanted)
        found.append(judged.level)
        click.echo(_json(judged, state, records) if whole else _text(judged, state, records))

    try:
        on_fabric(url, namespace, work)
    except (RemoteError, TimeoutError) as error:
        lost = Verdict(Level.CRITICAL, (str(error),))
        click.echo(_json(lost) if whole else f"CRITICAL: {printable(str(error))}")
        found.append(lost.level)
    sys.exit(found[-1])


def _text(judged: Verdict, state: SynapseState, records: list[NeuronRecord]) -> str:
    load = f"{state.connections:,} Dendrites, {state.axons:,} Axons, {state.open:,} open tasks"
    lines = [
        f"{judged.level.name}: the Synapse is up for {state.uptime_s:,.0f} s, {load}",
        *(f"- {printable(each)}" for each in judged.findings),
        *([table(records, "")] if records else ["no worker serves this namespace"]),
        *(f"{name} {count:,}" for name, count in sorted(state.counts.items())),
    ]
    return "\n".join(lines)


def _json(
    judged: Verdict, state: SynapseState | None = None, records: list[NeuronRecord] | None = None
) -> str:
    facts: dict[str, Any] = {
        "level": judged.level.name,
        "findings": list(judged.findings),
        "synapse": None if state is None else attrs.asdict(state),
        "neurons": [attrs.asdict(record) for record in records or ()],
    }
    return as_json(facts)
