"""Joining a fabric, for all verbs that do: the options that say where it is, and the connection."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import attrs
import click
from click.shell_completion import CompletionItem

from ..configuration import Contexts, Source, check_given_context, checked_namespace, chosen
from ..defaults import DEFAULT_NAMESPACE, DEFAULT_URL
from ..dendrite import Dendrite
from ..errors import InvalidContext, InvalidUrl, SynapseUnreachable
from ..keys import Key
from ..runtime.environment import CONTEXT_VARIABLE, CREDS_VARIABLE
from ..runtime.loops import run
from ..runtime.reachable import when_reachable
from ..signals import Signal
from ..synapse import connect_synapse
from ..synapse.connect import with_origin
from ..synapse.schemes import checked_url, is_on_nats, takes_key
from .options import not_empty
from .std_streams import complain
from .variables import in_the_environment

F = TypeVar("F", bound=Callable[..., Any])
_CONNECT_S = 3.0
KEY_FILE = "cosmonapse.key_file"
"""Where the click context of a verb has the path of the key that counts, if there is one."""
_CREDS = "cosmonapse.creds"
_URL_SOURCE = "cosmonapse.url_source"
"""Where it has the source of the URL."""


def fabric_options(function: F) -> F:
    """Add `--url`, `--key`, `--creds`, `--namespace` and `--context`, with what each is else."""
    url = click.option(
        "--url",
        metavar="URL",
        callback=_chosen_url,
        help="The Synapse; else COSMO_URL, that of the context, or that of the key.  "
        f"[default: {DEFAULT_URL}]",
    )
    key = click.option(
        "--key",
        metavar="FILE",
        is_eager=True,  # the default of --url is in it
        callback=_read_key,
        help="Your file NAME.key, for a Synapse with keys; else COSMO_KEY, or that of the context.",
    )
    namespace = click.option(
        "--namespace",
        "-n",
        metavar="NS",
        callback=_chosen_namespace,
        help="The namespace; else COSMO_NAMESPACE, or that of the context.  "
        f"[default: {DEFAULT_NAMESPACE}]",
    )
    return url(key(_creds_option(namespace(context_option(function)))))


def _creds_option(function: F) -> F:
    """Add `--creds`, which counts for the verb and for what it starts."""
    option = click.option(
        "--creds",
        metavar="FILE",
        is_eager=True,  # the URL is looked at with it
        expose_value=False,
        callback=_use_creds,
        help="Your file of NATS credentials, for nats:// and tls://; else COSMO_CREDS.",
    )
    return option(function)


def _use_creds(context: click.Context, option: click.Parameter, path: str | None) -> None:
    """Let a file of credentials count until the verb ends.

    Raises:
        BadParameter: It is empty.
    """
    not_empty(context, option, path)
    if path is not None:
        context.meta[_CREDS] = path
        context.with_resource(in_the_environment({CREDS_VARIABLE: path}))


def complete_context(
    context: click.Context, option: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the names of contexts that begin so."""
    with contextlib.suppress(InvalidContext):
        names = Contexts.read().known
        return [CompletionItem(each) for each in names if each.startswith(incomplete)]
    return []


def context_option(function: F) -> F:
    """Add `--context`, which counts for the verb and for what it starts."""
    option = click.option(
        "--context",
        metavar="NAME",
        is_eager=True,  # what the others are by default is in it
        expose_value=False,
        callback=_use_context,
        shell_complete=complete_context,
        help="A context of 'cosmo context', - for none; else COSMO_CONTEXT, or the selected one.",
    )
    return option(function)


def _use_context(context: click.Context, option: click.Parameter, name: str | None) -> None:
    """Let a context count until the verb ends.

    Raises:
        InvalidContext: There is none of that name.
    """
    if name is not None:
        check_given_context(name)
        context.with_resource(in_the_environment({CONTEXT_VARIABLE: name}))


def _read_key(context: click.Context, option: click.Parameter, path: str | None) -> Key | None:
    """Return the key in the file that the option names, None if it names none.

    The file that counts without it is noted, too: what a verb starts shall have the same key.

    Raises:
        BadParameter: It is empty.
        InvalidContext: The context cannot be used.
        InvalidKey: The file cannot be used.
    """
    not_empty(context, option, path)
    setting = chosen("key", path)
    if setting.value is not None:
        context.meta[KEY_FILE] = setting.value
    return None if path is None else Key.read(path)


def _chosen_url(context: click.Context, option: click.Parameter, url: str | None) -> str:
    """Return the URL that counts.

    Raises:
        InvalidContext: The context cannot be used.
        InvalidKey: The key that may say it cannot be used.
        InvalidUrl: It is no option, and invalid; the text names where it comes from.
        UsageError: It has no credentials, and some are given.
    """
    setting = chosen("url", url, key=context.params.get("key"))
    context.meta[_URL_SOURCE] = setting.source
    found: str = setting.value
    if _CREDS in context.meta and not is_on_nats(found):
        raise click.UsageError("--creds is for a nats-server: give a URL such as nats://HOST:4222")
    if context.params.get("key") is None and not takes_key(found):
        context.meta.pop(KEY_FILE, None)
    if url is None:
        try:
            checked_url(found)
        except InvalidUrl as error:
            raise InvalidUrl(error.url, error.reason + setting.source.blame) from None
    return found


def _chosen_namespace(context: click.Context, option: click.Parameter, value: str | None) -> str:
    """Return the namespace that counts.

    Raises:
        InvalidContext: The context cannot be used.
        InvalidName: It is none; the text names where it comes from.
    """
    return checked_namespace(chosen("namespace", value))


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
        key: The key to show; by default that of COSMO_KEY or of the context.
        namespace: The namespace to join.
        work: Called with the Dendrite once it has joined.
        before: Called with the Dendrite before it joins.
        waits: Whether a Synapse that is not there yet is waited for, without an end.

    Raises:
        CosmonapseError: Connecting failed, or the work raised it.
    """

    source = click.get_current_context().meta.get(_URL_SOURCE, Source("argument"))

    async def join() -> Dendrite:
        try:
            synapse = await connect_synapse(url, key=key, timeout_s=_CONNECT_S)
        except SynapseUnreachable as error:
            raise with_origin(error, source) from None
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
