"""`cosmo check`: the health of a fabric, as text and as an exit code for monitoring."""

from __future__ import annotations

import sys
from typing import Any

import attrs
import click

from ..dendrite import Dendrite
from ..errors import AccessRefused, RemoteError
from ..health import Level, Verdict, verdict
from ..keys import Key
from ..names import checked_name
from ..registry import NeuronRecord, SynapseState, differing
from ..runtime.printable import printable
from ..synapse.kernels import kernel_text
from . import ACCESS_REFUSED
from .fabric import as_json, fabric_options, on_fabric
from .registry import in_order, table

_MOST_DIGITS = 10


def _expected(
    context: click.Context, option: click.Parameter, given: tuple[str, ...]
) -> dict[str, int]:
    """Return the least number of each neuron.

    Raises:
        BadParameter: One is not NEURON=COUNT.
        InvalidName: The neuron is not a valid name.
    """
    expected = {}
    for text in given:
        neuron, _, least = text.partition("=")
        if not (least.isascii() and least.isdigit() and len(least) < _MOST_DIGITS):
            raise click.BadParameter(f"expected NEURON=COUNT such as writer=2, got {text!r:.100}")
        expected[checked_name("--expect", neuron)] = int(least)
    return expected


def _per_minute(context: click.Context, option: click.Parameter, text: str | None) -> int | None:
    """Return the number of N/min.

    Raises:
        BadParameter: It is something else.
    """
    if text is None:
        return None
    number = text.removesuffix("/min")
    if not (number.isascii() and number.isdigit() and len(number) < _MOST_DIGITS):
        raise click.BadParameter(f"expected a number in a minute such as 10/min, got {text!r:.100}")
    return int(number)


@click.command()
@fabric_options
@click.option("--neuron", "wanted", metavar="ID", multiple=True, help="The same as --expect ID=1.")
@click.option(
    "--expect",
    "expected",
    metavar="ID=N",
    multiple=True,
    callback=_expected,
    help="At least N Axons of this neuron must be alive; repeatable.",
)
@click.option(
    "--max-errors",
    metavar="N/min",
    callback=_per_minute,
    help="How many tasks may be lost or come back in a minute; by default none may be lost.",
)
@click.option("--verbose", "-v", is_flag=True, help="Print every counter of the Synapse too.")
@click.option("--json", "whole", is_flag=True, help="Print everything as one JSON object.")
def command(
    url: str,
    key: Key | None,
    namespace: str,
    wanted: tuple[str, ...],
    expected: dict[str, int],
    max_errors: int | None,
    verbose: bool,
    whole: bool,
) -> None:
    """Check the health of a namespace.

    It says as well which Neurons have replicas whose cards differ; that is no fault while an update
    goes on, and so changes no exit code.

    Exit codes: 0 healthy; 1 an Axon is stuck or away, the Synapse is stopping or does not hear
    another one of its fabric, or tasks or connections were lost in the last minute; 2 no Synapse,
    or too few Axons of a neuron named by --neuron or --expect are alive; 5 the Synapse refuses the
    key.
    """
    least = {**{checked_name("--neuron", each): 1 for each in wanted}, **expected}
    found: list[Level] = []

    async def work(dendrite: Dendrite) -> None:
        state = await dendrite.synapse_state()
        records = in_order(await dendrite.registry_snapshot())
        judged = verdict(state, records, least, max_errors)
        found.append(judged.level)
        if whole:
            click.echo(_json(judged, state, records))
        else:
            click.echo(_text(judged, state, records, namespace, verbose))

    try:
        on_fabric(url, key, namespace, work)
    except (RemoteError, TimeoutError) as error:
        lost = Verdict(Level.CRITICAL, (str(error),))
        click.echo(_json(lost) if whole else f"CRITICAL: {printable(str(error))}")
        if isinstance(error, AccessRefused):
            sys.exit(ACCESS_REFUSED)
        found.append(lost.level)
    sys.exit(found[-1])


def _text(
    judged: Verdict, state: SynapseState, records: list[NeuronRecord], namespace: str, verbose: bool
) -> str:
    neurons = len({record.neuron_id for record in records})
    open_tasks = sum(record.open for record in records)
    load = f"{len(records):,} Axons of {neurons:,} neurons, {open_tasks:,} open tasks"
    up = f"the Synapse at {state.url} is up for {state.uptime_s:,.0f} s"
    lines = [
        f"{judged.level.name}: namespace {namespace} has {load}; {up}",
        *(f"- {printable(each)}" for each in judged.findings),
        *([table(records, namespace)] if records else ["no worker serves this namespace"]),
        f"kernel of this program: {kernel_text()}",
    ]
    if state.role:
        lines += _fabric_lines(state)
    if verbose:
        lines.append(
            f"all namespaces: {state.connections:,} Dendrites, {state.axons:,} Axons, "
            f"{state.open:,} open tasks"
        )
        lines += [_counter(name, state) for name in sorted(state.counts)]
    return "\n".join(lines)


def _fabric_lines(state: SynapseState) -> list[str]:
    """Return a line for this Synapse, and one for each other one of its fabric."""
    lines = [f"role of the Synapse: {state.role}, term {state.term:,}"]
    for each in state.peers:
        facts = [str(each["role"])]
        if "heard_s" in each:
            facts.append(f"heard {each['heard_s']:.1f} s ago")
        lines.append(printable(f"peer {each['url']}: {', '.join(facts)}"))
    return lines


def _counter(name: str, state: SynapseState) -> str:
    grown = state.recent.get(name, 0)
    recent = f" (+{grown:,} in the last {state.recent_s:.0f} s)" if grown else ""
    return f"{name} {state.counts[name]:,}{recent}"


def _json(
    judged: Verdict, state: SynapseState | None = None, records: list[NeuronRecord] | None = None
) -> str:
    facts: dict[str, Any] = {
        "level": judged.level.name,
        "findings": list(judged.findings),
        "kernel": kernel_text(),
        "synapse": None if state is None else attrs.asdict(state),
        "neurons": [attrs.asdict(record) for record in records or ()],
        "differing_cards": differing(records or ()),
    }
    return as_json(facts)
