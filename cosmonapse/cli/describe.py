"""`cosmo describe`: what a Neuron takes, gives and is for."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import click
from click.shell_completion import CompletionItem

from ..cards import Card
from ..dendrite import Dendrite
from ..errors import NeuronError
from ..keys import Key
from ..names import checked_name
from ..registry import NeuronRecord, differing
from ..runtime.printable import printable
from ..schemas.fields import Field, example_of, fields_of
from .drawing import aligned
from .fabric import as_json, fabric_options, on_fabric
from .live_names import near_text, neurons_that_begin
from .options import TIMEOUT_S, no_nan

_TITLES = ("KEY", "TYPE", "REQUIRED", "DESCRIPTION")


def _complete(
    context: click.Context, option: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    return [CompletionItem(each) for each in neurons_that_begin(context, incomplete)]


@click.command()
@click.argument("neuron", shell_complete=_complete)
@fabric_options
@click.option(
    "--timeout",
    "timeout_s",
    type=TIMEOUT_S,
    callback=no_nan,
    default=5.0,
    show_default=True,
    help="Seconds to wait for the card.",
)
@click.option("--json", "whole", is_flag=True, help="Print the whole card as one JSON object.")
def command(
    neuron: str, url: str, key: Key | None, namespace: str, timeout_s: float, whole: bool
) -> None:
    """Show what a Neuron takes, gives and is for, and a command that asks it.

    The card comes from any live replica; what the Neuron does not tell is not shown. With --json
    the schemas are whole, and the replicas stand beside them.

    Exit codes: 2 usage, 3 no such Neuron or no Synapse, 4 timeout.
    """
    checked_name("NEURON", neuron)

    async def work(dendrite: Dendrite) -> None:
        records = await dendrite.find_neurons()
        own = [each for each in records if each.neuron_id == neuron]
        if not own:
            told = near_text(neuron, records) or "see 'cosmo registry'"
            text = f"no live Axon serves {neuron} in namespace {namespace}: {told}"
            raise NeuronError("NO_SUCH_NEURON", text)
        card = await dendrite.card(neuron, timeout_s=timeout_s)
        click.echo(_as_json(card, own) if whole else described(card, own))

    on_fabric(url, key, namespace, work)


def _as_json(card: Card, records: Iterable[NeuronRecord]) -> str:
    replicas = [
        {"dendrite": each.dendrite_id, "instance": each.instance, "digest": each.card}
        | {"state": each.state, "version": each.version}
        for each in records
    ]
    return as_json(card.as_dict() | {"digest": card.digest, "replicas": replicas})


def described(card: Card, records: list[NeuronRecord]) -> str:
    """Return a card for people: what it is for, its replicas, both schemas, an example."""
    parts = [_head(card, records)]
    parts.extend(_table("Input", card.input))
    parts.extend(_table("Output", card.output))
    if not (card.description or card.input or card.output):
        parts.append("It does not tell what it takes and gives: Axon(input=..., output=...) does.")
    parts.append(f"$ {_command(card)}")
    return "\n\n".join(parts)


def _head(card: Card, records: list[NeuronRecord]) -> str:
    lines = [printable(card.neuron_id)]
    lines += [printable(line) for line in card.description.splitlines()]
    if card.capabilities:
        lines.append(f"capabilities: {printable(', '.join(card.capabilities))}")
    lines.append(f"replicas: {', '.join(map(_replica, records))}")
    lines += versions(records)
    return "\n".join(lines)


def _replica(record: NeuronRecord) -> str:
    facts = [record.card or "no card"]
    if record.version:
        facts.append(f"version {record.version}")
    if record.state != "alive":
        facts.append(record.state)
    return printable(f"{record.dendrite_id} ({', '.join(facts)})")


def versions(records: Iterable[NeuronRecord]) -> Iterator[str]:
    """Yield a line for each Neuron whose replicas have cards that differ."""
    for neuron_id, digests in sorted(differing(records).items()):
        yield printable(
            f"{neuron_id}: {len(digests)} versions of its card are live "
            f"({', '.join(digests)}): update the replicas that are older"
        )


def _table(title: str, schema: Mapping[str, Any] | None) -> Iterator[str]:
    if schema is None:
        return
    rows = [_row(each) for each in fields_of(schema)]
    yield f"{title}\n{aligned([_TITLES, *rows]) if rows else 'any object'}"


def _row(field: Field) -> tuple[str, ...]:
    required = "yes" if field.is_required else "no"
    return (printable(field.name), printable(field.kind), required, printable(field.description))


def _command(card: Card) -> str:
    given = example_of(card.input) if card.input is not None else {"prompt": "hello"}
    text = json.dumps(given, ensure_ascii=False)
    return printable(f"cosmo dispatch {card.neuron_id} {shlex.quote(text)}")
