"""`cosmo emit`: publish one Signal."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import CompletionItem

from ..dendrite import Dendrite
from ..errors import BadSignal
from ..ids import id_bytes
from ..keys import Key
from ..names import checked_name
from ..payloads import SHAPES, payload_of
from ..runtime.printable import printable
from ..signals import Signal, SignalType
from .fabric import fabric_options, on_fabric, signal_as_json
from .options import signal_type
from .task_input import input_option

_INSTEAD = {
    SignalType.TASK: "cosmo dispatch",
    SignalType.STOP: "cosmo stop",
    SignalType.CLARIFICATION_ANSWER: "cosmo answer",
    SignalType.PERMISSION_DECISION: "cosmo answer",
    SignalType.AGENT_OUTPUT: "cosmo reply",
    SignalType.REGISTER: "cosmo reply",
    SignalType.DISCOVER: "cosmo registry",
}
"""The verb for a type that is not published by hand."""


def _emitted_type(context: click.Context, argument: click.Parameter, given: str) -> SignalType:
    """Return the type of a Signal that a program may publish by itself.

    Raises:
        BadParameter: There is no such type, or the fabric alone sends it.
    """
    found = signal_type(given)
    if found in SHAPES:
        return found
    verb = _INSTEAD.get(found)
    instead = f"use '{verb}'" if verb else "a Dendrite sends it when it is due"
    known = ", ".join(sorted(each.value for each in SHAPES))
    raise click.BadParameter(f"a {found.value} is not published by hand: {instead}; {known} are")


def _complete(
    context: click.Context, argument: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the types that begin so."""
    wanted = incomplete.upper().replace("-", "_")
    return [CompletionItem(each.value) for each in SHAPES if each.value.startswith(wanted)]


def _id_option(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Return a valid id.

    Raises:
        BadParameter: It is none.
    """
    try:
        if value is not None:
            id_bytes(value)
    except BadSignal as error:
        raise click.BadParameter(printable(str(error))) from None
    return value


@click.command()
@click.argument("signal_type", metavar="TYPE", callback=_emitted_type, shell_complete=_complete)
@fabric_options
@click.option(
    "--payload",
    callback=input_option,
    metavar="JSON",
    help="The payload as a JSON object; - for stdin, @FILE for a file.",
)
@click.option(
    "--trace", "trace_id", metavar="ID", callback=_id_option, help="The workflow; else a new one."
)
@click.option(
    "--parent", "parent_id", metavar="ID", callback=_id_option, help="The Signal that it follows."
)
@click.option("--neuron", metavar="ID", help="In the name of this neuron.")
@click.option("--json", "whole", is_flag=True, help="Print the whole Signal on one line.")
def command(
    signal_type: SignalType,
    url: str,
    key: Key | None,
    namespace: str,
    payload: Any,
    trace_id: str | None,
    parent_id: str | None,
    neuron: str | None,
    whole: bool,
) -> None:
    """Publish one Signal to those that listen to its type or its trace.

    TYPE is one of those that a program publishes, such as PLAN or MEMORY_APPEND; small letters and
    hyphens are accepted. The keys of the payload are checked as in a program. For example:
    cosmo emit memory-append --payload '{"key": "colour", "value": "red"}'
    """
    if neuron is not None:
        checked_name("--neuron", neuron)
    if signal_type is SignalType.BID and neuron is None:
        raise click.UsageError("a BID is made in the name of a neuron: give --neuron ID")
    fields = _checked(signal_type, {} if payload is None else payload)
    sent: list[Signal] = []

    async def work(dendrite: Dendrite) -> None:
        emit = getattr(dendrite, f"emit_{signal_type.value.lower()}")
        about = {"trace_id": trace_id, "parent_id": parent_id, "neuron": neuron}
        sent.append(await emit(**about, **fields))

    on_fabric(url, key, namespace, work)
    (signal,) = sent
    said = f"published {signal.type.value} {signal.id} on {signal.trace_id}"
    click.echo(signal_as_json(signal) if whole else said)


def _checked(signal_type: SignalType, payload: Any) -> dict[str, Any]:
    """Return the payload with keys that the type has.

    Raises:
        BadParameter: It is no object, or a key is missing or unknown.
    """
    if not isinstance(payload, dict):
        raise click.BadParameter(f"the payload must be a JSON object, not {payload!r:.100}")
    try:
        payload_of(signal_type, payload)
    except TypeError as error:
        raise click.BadParameter(printable(str(error)), param_hint="--payload") from None
    return payload
