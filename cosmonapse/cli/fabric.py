"""What the verbs that join a fabric have in common: where it is, and joining it."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import attrs
import click

from ..dendrite import Dendrite
from ..names import checked_name
from ..runtime.loops import run
from ..signals import Signal
from ..synapse import connect_synapse
from ..synapse.url import DEFAULT_URL

F = TypeVar("F", bound=Callable[..., Any])
_CONNECT_S = 3.0


def fabric_options(function: F) -> F:
    """Add `--url` and `--namespace`."""
    url = click.option(
        "--url",
        envvar="COSMO_URL",
        default=DEFAULT_URL,
        show_default=True,
        help="Where the Synapse is; or COSMO_URL.",
    )
    namespace = click.option(
        "--namespace",
        "-n",
        envvar="COSMO_NAMESPACE",
        default="default",
        show_default=True,
        help="The namespace; or COSMO_NAMESPACE.",
    )
    return url(namespace(function))


def on_fabric(
    url: str,
    namespace: str,
    work: Callable[[Dendrite], Awaitable[None]],
    before: Callable[[Dendrite], None] | None = None,
) -> None:
    """Join the fabric, do the work, leave.

    Args:
        url: Where the Synapse is.
        namespace: Which namespace.
        work: What is done there.
        before: What is done with the Dendrite before it joins.

    Raises:
        CosmonapseError: What connecting and the work raise.
    """
    checked_name("namespace", namespace)  # what is no name is told before we connect

    async def main() -> None:
        synapse = await connect_synapse(url, timeout_s=_CONNECT_S)
        dendrite = Dendrite(synapse=synapse, namespace=namespace, dendrite_id="cosmo")
        if before is not None:
            before(dendrite)
        async with dendrite:
            await work(dendrite)

    run(main())


def as_json(value: Any, indent: int | None = None) -> str:
    """Return a value of a Signal as JSON in ASCII; bytes as base 64, so that nothing is lost."""
    return json.dumps(value, indent=indent, default=_plain)


def signal_as_json(signal: Signal) -> str:
    """Return a whole Signal as JSON on one line; `neuron` is who sent it, or who a TASK is for."""
    neuron = None if signal.directed is None else signal.directed.id
    return as_json({**attrs.asdict(signal), "type": signal.type.value, "neuron": neuron})


def _plain(value: Any) -> Any:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode()
    return repr(value)
