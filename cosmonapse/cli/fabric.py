"""Joining a fabric, for all verbs that do: the options that say where it is, and the connection."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import attrs
import click
from click.core import ParameterSource

from ..dendrite import Dendrite
from ..keys import Key
from ..names import checked_name
from ..runtime.environment import NAMESPACE_VARIABLE, URL_VARIABLE
from ..runtime.loops import run
from ..runtime.reachable import when_reachable
from ..signals import Signal
from ..synapse import connect_synapse
from ..synapse.connect import chosen_key, chosen_url, read_key
from ..synapse.url import DEFAULT_URL
from .std_streams import complain

F = TypeVar("F", bound=Callable[..., Any])
_CONNECT_S = 3.0
KEY_FILE = "cosmonapse.key_file"
"""Where the context of a verb has the path of `--key`."""


def fabric_options(function: F) -> F:
    """Add `--url`, `--key` and `--namespace`."""
    url = click.option(
        "--url",
        envvar=URL_VARIABLE,
        callback=_chosen_url,
        help=f"URL of the Synapse; or COSMO_URL.  [default: that of the key, else {DEFAULT_URL}]",
    )
    key = click.option(
        "--key",
        metavar="FILE",
        is_eager=True,  # the default of --url is in it
        callback=_read_key,
        help="Your file NAME.key, for a Synapse with keys; or COSMO_KEY.",
    )
    namespace = click.option(
        "--namespace",
        "-n",
        envvar=NAMESPACE_VARIABLE,
        callback=_checked_namespace,
        default="default",
        show_default=True,
        help="The namespace; or COSMO_NAMESPACE.",
    )
    return url(key(namespace(function)))


def _read_key(context: click.Context, option: click.Parameter, path: str | None) -> Key | None:
    """Return the key in a file, None if none is named.

    Raises:
        InvalidKey: It cannot be used.
    """
    if path is None:
        return None
    context.meta[KEY_FILE] = path
    return read_key(path)


def _chosen_url(context: click.Context, option: click.Parameter, url: str | None) -> str:
    """Return the URL of the option, else that of the key, else the default.

    Raises:
        InvalidKey: COSMO_KEY names a file that cannot be used.
    """
    return chosen_url(None, chosen_key(context.params.get("key"))) if url is None else url


def _checked_namespace(context: click.Context, option: click.Parameter, value: str) -> str:
    """Return a valid namespace.

    Raises:
        InvalidName: It is none; the text names where it comes from.
    """
    source = context.get_parameter_source(option.name or "")
    is_set = source is ParameterSource.ENVIRONMENT
    return checked_name(NAMESPACE_VARIABLE if is_set else "namespace", value)


def on_fabric(
    url: str,
    key: Key | None,
    namespace: str,
    work: Callable[[Dendrite], Awaitable[None]],
    before: Callable[[Dendrite], None] | None = None,
    *,
    waits: bool = False,
) -> None:
    """Join the fabric, do the work, leave.

    Args:
        url: URL of the Synapse.
        key: The key to show; by default that of COSMO_KEY.
        namespace: The namespace to join.
        work: Called with the Dendrite once it has joined.
        before: Called with the Dendrite before it joins.
        waits: Whether a Synapse that is not there yet is waited for, without an end.

    Raises:
        CosmonapseError: Connecting failed, or the work raised it.
    """

    async def join() -> Dendrite:
        synapse = await connect_synapse(url, key=key, timeout_s=_CONNECT_S)
        dendrite = Dendrite(synapse=synapse, namespace=namespace, dendrite_id="cosmo")
        if before is not None:
            before(dendrite)
        await dendrite.start()
        return dendrite

    async def main() -> None:
        dendrite = await (when_reachable(join, complain) if waits else join())
        try:
            await work(dendrite)
        finally:
            await dendrite.stop()

    run(main())


def as_json(value: Any, indent: int | None = None) -> str:
    """Return a value of a Signal as JSON in ASCII; bytes as base 64, so that nothing is lost."""
    return json.dumps(value, indent=indent, default=_plain)


def signal_as_json(signal: Signal) -> str:
    """Return a whole Signal as JSON on one line; `neuron` is its sender, or that of a TASK."""
    neuron = None if signal.directed is None else signal.directed.id
    return as_json({**attrs.asdict(signal), "type": signal.type.value, "neuron": neuron})


def _plain(value: Any) -> Any:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode()
    return repr(value)
