"""`cosmo synapse start nats://...`: the Synapse as a process on NATS."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from ..configuration import chosen
from ..synapse.nats.nats_py import check_installed
from .log import SignalLog
from .log_format import begin_logs, tell
from .metrics import served
from .service_signals import reporter_of, stop_on_signals
from .std_streams import complain

if TYPE_CHECKING:
    from ..exposition.exposed import Exposed
    from ..synapse.nats.process import NatsSynapseProcess

F = TypeVar("F", bound=Callable[..., Any])
MEMORY = "memory"
_SCHEMES = ("nats://", "tls://")
_OF_NATS = ("creds", "always_publish", "dead_after_s")
_OF_SOCKETS = (
    "host",
    "port",
    "ipc",
    "lan",
    "peers",
    "keys",
    "insecure",
    "ipc_mode",
    "carrier",
)


def is_on_nats(store: str) -> bool:
    """Return whether a STORE is a nats-server."""
    return store.lower().startswith(_SCHEMES)


def checked_store(context: click.Context, argument: click.Parameter, store: str) -> str:
    """Return STORE if there is such a one."""
    if store == MEMORY or is_on_nats(store):
        return store
    # Not the text itself: it may be a URL with a password.
    raise click.BadParameter("it is 'memory', or the URL of a nats-server: nats://HOST[:PORT]")


def check_url_of_unit(url: str) -> None:
    """Check a URL of a nats-server that is to stand in a unit, which every user may read.

    Raises:
        UsageError: It has a password or a token.
    """
    if "@" in url.partition("?")[0]:
        raise click.UsageError(
            "a unit would show every user of this machine who the Synapse is: leave that out of "
            "the URL, and name a file, with --creds FILE or as nats://HOST?nkey=FILE"
        )


def nats_options(function: F) -> F:
    """Add the options that only a Synapse on NATS has; `start_on_nats` reads them."""
    creds = click.option(
        "--creds",
        metavar="FILE",
        help="NATS: a file of credentials; else COSMO_CREDS, or ?creds=FILE in the URL.",
    )
    always_publish = click.option(
        "--always-publish",
        is_flag=True,
        help="NATS: publish every Signal by its type, for 'nats sub cosmo.NS.t.>'.",
    )
    dead_after = click.option(
        "--dead-after",
        "dead_after_s",
        type=click.FloatRange(3, 3600),
        default=15.0,
        show_default=True,
        help="NATS: seconds without a word after which a Dendrite counts as lost.",
    )
    return creds(always_publish(dead_after(function)))


def check_options(context: click.Context, store: str) -> None:
    """Check that each given option has an effect with this STORE.

    Raises:
        UsageError: One has none; the text says what to do.
    """
    on_nats = is_on_nats(store)
    for parameter in context.command.params:
        name = parameter.name or ""
        source = context.get_parameter_source(name)
        if source in (ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP, None):
            continue
        option = parameter.opts[0]
        if on_nats and name in _OF_SOCKETS:
            raise click.UsageError(
                f"{option} is for a Synapse that listens itself, and this one connects to a "
                "nats-server, which holds place and rights: leave it out"
            )
        if not on_nats and name in _OF_NATS:
            raise click.UsageError(f"{option} is for NATS: name a nats-server, as nats://HOST:4222")


def start_on_nats(context: click.Context) -> int:
    """Run a Synapse on NATS until Ctrl-C or SIGTERM; return the exit code.

    Raises:
        MissingExtra: nats-py is not installed.
    """
    given = context.params
    as_json = begin_logs() == "json"
    log = SignalLog(as_json)
    namespaces: tuple[str, ...] = given["namespaces"]
    try:
        synapse = _process()(
            given["store"],
            namespaces,
            None if given["quiet"] else log.note,
            creds=chosen("creds", given["creds"]).value,
            always_publish=given["always_publish"],
            dead_after_s=given["dead_after_s"],
            on_role=log.tell,
            max_signal_bytes=given["max_signal_bytes"],
            max_connections=given["max_connections"],
        )
        reporter = reporter_of(synapse, synapse.judge_start)
        received = stop_on_signals(synapse, reporter)
        try:
            with served(given["metrics"], lambda: _source_of(synapse)) as metrics_url:
                _announce(synapse, namespaces, as_json, metrics_url)
                synapse.run()
        finally:
            reporter.close()
    finally:
        log.close()
    complain("Synapse stopped; the Dendrites were notified.")
    return 130 if signal.SIGINT in received else 0


def _process() -> type[NatsSynapseProcess]:
    check_installed()
    from ..synapse.nats.process import NatsSynapseProcess

    return NatsSynapseProcess


def _source_of(synapse: NatsSynapseProcess) -> Exposed:
    from ..exposition.synapse_source import SynapseSource

    return SynapseSource(synapse)


def _announce(
    synapse: NatsSynapseProcess,
    namespaces: tuple[str, ...],
    as_json: bool,
    metrics_url: str | None,
) -> None:
    if as_json:
        text = f"Synapse on {synapse.url}"
        tell(text, url=synapse.url, carrier=synapse.carrier, who=_WHO)
        return
    first = namespaces[0] if namespaces else "default"
    lines = [
        f"Synapse on {synapse.url}",
        f"  namespaces  {', '.join(namespaces) if namespaces else 'any'}",
        f"  who         {_WHO}",
        f"  carrier     {synapse.carrier}",
        f"  connect     await connect_synapse({synapse.url!r})",
        f"              Dendrite(synapse=synapse, namespace={first!r})",
        *([] if metrics_url is None else [f"  metrics     {metrics_url}"]),
        "  stop        Ctrl-C",
    ]
    click.echo("\n".join(lines))


_WHO = "whom nats-server lets in, with the rights that it gives"
