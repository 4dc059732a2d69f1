"""`cosmo synapse start`: the Synapse as a process."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..key_ring import KeyRing, default_folder
from ..keys import KEY_SUFFIX
from ..runtime.addresses import addresses, beyond_loopback, is_every
from ..synapse.carriers import CARRIERS, DEFAULT_CARRIER, chosen_carrier
from ..synapse.peers import log_notice
from ..synapse.server import SynapseProcess
from ..synapse.url import DEFAULT_HOST, DEFAULT_PORT, joined
from .hinted_group import HintedGroup
from .log import SignalLog
from .log_format import begin_logs, log_format_option, tell
from .metrics import metrics_option, served
from .nats_conf import command as nats_conf
from .service_signals import reporter_of, stop_on_signals
from .std_streams import complain
from .synapse_on_nats import (
    MEMORY,
    check_options,
    checked_store,
    is_on_nats,
    nats_options,
    start_on_nats,
)

_EVERYWHERE = "0.0.0.0"  # with keys, or when a user says so
if TYPE_CHECKING:
    from ..exposition.exposed import Exposed

F = TypeVar("F", bound=Callable[..., Any])

_carrier_option = click.option(
    "--carrier",
    metavar="|".join(CARRIERS),
    callback=lambda context, option, carrier: chosen_carrier(carrier),
    shell_complete=lambda context, option, text: [
        each for each in CARRIERS if each.startswith(text)
    ],
    help="What carries the directed plane; or COSMO_CARRIER. Dendrites with either can join.  "
    f"[default: {DEFAULT_CARRIER}]",
)


def _place_options(function: F) -> F:
    """Add `--host`, `--port`, `--ipc`, `--lan` and `--peer`."""
    host = click.option(
        "--host",
        help=f"Address to listen on.  [default: {DEFAULT_HOST}; with --lan {_EVERYWHERE}]",
    )
    port = click.option(
        "--port",
        type=click.IntRange(0, 65_532),
        default=DEFAULT_PORT,
        show_default=True,
        help="TCP port; port + 2 and port + 3 carry broadcasts. 0: any free ones.",
    )
    ipc = click.option(
        "--ipc",
        metavar="PATH",
        help="Listen at this Unix socket too, for this user on this machine.",
    )
    lan = click.option(
        "--lan",
        is_flag=True,
        help="Announce it on the LAN, where 'cosmo find' and cosmo://auto find it; extra [lan].",
    )
    peer = click.option(
        "--peer",
        "peers",
        metavar="URL",
        multiple=True,
        help="Another Synapse of the same fabric; repeatable. One leads, the others stand by.",
    )
    return host(port(ipc(lan(peer(function)))))


def _access_options(function: F) -> F:
    """Add `--ipc-mode`, `--keys` and `--insecure`."""
    keys = click.option(
        "--keys",
        metavar="[DIR]",
        is_flag=False,
        flag_value="",
        help="Let in only whom this folder allows; see 'cosmo keys'. Needed beyond this machine.",
    )
    insecure = click.option(
        "--insecure",
        is_flag=True,
        help="Let in whoever reaches it, also beyond this machine: only on a trusted network.",
    )
    ipc_mode = click.option(
        "--ipc-mode",
        type=click.Choice(["0600", "0660"]),
        default="0600",
        show_default=True,
        help="Mode of the files of --ipc. 0660 lets in the group too, with --keys.",
    )
    return ipc_mode(keys(insecure(function)))


def _limit_options(function: F) -> F:
    """Add the limits that have an option."""
    max_signal_bytes = click.option(
        "--max-signal-bytes",
        type=click.IntRange(1024, 2**31 - 2**17),
        default=16 * 1024 * 1024,
        show_default=True,
        help="Size limit of an encoded Signal; sent to each Dendrite.",
    )
    max_connections = click.option(
        "--max-connections",
        type=click.IntRange(1, 1_000_000),
        default=20_000,
        show_default=True,
        help="Most Dendrites at a time; each needs up to three file descriptors, and CPU at rest.",
    )
    return max_signal_bytes(max_connections(function))


@click.group(cls=HintedGroup)
def command() -> None:
    """Run the Synapse."""


command.add_command(nats_conf)


@command.command()
@click.argument("store", metavar="[memory|URL]", default=MEMORY, callback=checked_store)
@click.option(
    "--namespace",
    "-n",
    "namespaces",
    multiple=True,
    metavar="NS",
    help="Serve this namespace only; repeatable. By default every namespace is served.",
)
@_place_options
@_access_options
@_carrier_option
@_limit_options
@nats_options
@click.option("--quiet/--no-quiet", "-q", help="Print no line for each Signal.")
@metrics_option
@log_format_option
@click.pass_context
def start(
    context: click.Context,
    /,
    store: str,
    namespaces: tuple[str, ...],
    host: str | None,
    port: int,
    ipc: str | None,
    lan: bool,
    peers: tuple[str, ...],
    keys: str | None,
    insecure: bool,
    ipc_mode: str,
    carrier: str,
    max_signal_bytes: int,
    max_connections: int,
    quiet: bool,
    metrics: str | None,
    **on_nats: Any,
) -> int:
    """Run a Synapse until Ctrl-C or SIGTERM.

    By default it listens itself, and all of its state is in memory: it is rebuilt after a restart.
    With the URL of a nats-server, such as nats://HOST:4222, it routes there; any number of them
    share the namespaces. Needs the extra [nats].
    """
    check_options(context, store)
    if is_on_nats(store):
        return start_on_nats(context)
    if keys is not None and insecure:
        raise click.UsageError("give --keys or --insecure, not both: with keys nobody else joins")
    if ipc_mode != "0600" and keys is None:
        raise click.UsageError("--ipc-mode 0660 needs --keys, which say what each user may do")
    at = _host_of(host, lan=lan)
    as_json = begin_logs() == "json"
    log = None if quiet and not peers else SignalLog(as_json)
    synapse = SynapseProcess(
        at,
        port,
        namespaces,
        log.note if log and not quiet else None,
        ipc=ipc,
        carrier=carrier,
        keys=default_folder() if keys == "" else keys,
        insecure=insecure,
        ipc_mode=int(ipc_mode, 8),
        lan=lan,
        peers=peers,
        on_role=log.tell if log else log_notice,
        max_signal_bytes=max_signal_bytes,
        max_connections=max_connections,
    )
    reporter = reporter_of(synapse, synapse.pulse.judge)
    received = stop_on_signals(synapse, reporter)
    if synapse.keys is not None:
        signal.signal(signal.SIGHUP, lambda number, frame: synapse.ask_to_reload_keys())
    try:
        with served(metrics, lambda: _source_of(synapse)) as metrics_url:
            _announce(synapse, at, namespaces, as_json, metrics_url)
            synapse.run()
    finally:
        reporter.close()
        if log is not None:
            log.close()
    complain("Synapse stopped; the Dendrites were notified.")
    return 130 if signal.SIGINT in received else 0


def _source_of(synapse: SynapseProcess) -> Exposed:
    from ..exposition.synapse_source import SynapseSource

    return SynapseSource(synapse)


def _announce(
    synapse: SynapseProcess,
    at: str,
    namespaces: tuple[str, ...],
    as_json: bool,
    metrics_url: str | None,
) -> None:
    if as_json:
        text = f"Synapse listening on {synapse.url}"
        tell(text, url=synapse.url, carrier=synapse.carrier, who=_who_may_join(synapse.keys, at))
    else:
        click.echo(_banner(synapse, at, namespaces, metrics_url))


def _host_of(host: str | None, *, lan: bool) -> str:
    """Return where to listen.

    Raises:
        UsageError: It is to be announced on the LAN, and no other machine could reach it.
    """
    # As in a URL an IPv6 address may stand in brackets.
    at = (host or (_EVERYWHERE if lan else DEFAULT_HOST)).removeprefix("[").removesuffix("]")
    if lan and not beyond_loopback(at):
        raise click.UsageError(
            f"--lan announces the Synapse to other machines, and --host {at} is reached from this "
            "one only: leave --host out"
        )
    return at


def _banner(
    synapse: SynapseProcess, host: str, namespaces: tuple[str, ...], metrics_url: str | None
) -> str:
    url, ipc_url = synapse.url, synapse.ipc_url
    served = ", ".join(namespaces) if namespaces else "any"
    first = namespaces[0] if namespaces else "default"
    others = _urls_for_others(url, host)
    own = next(iter(others), url)
    ring = synapse.keys
    key = "" if ring is None else f", key={_a_key_file(ring)!r}"
    lines = [
        f"Synapse listening on {url}",
        *([] if ipc_url is None else [f"  and on      {ipc_url}"]),
        f"  namespaces  {served}",
        f"  who         {_who_may_join(ring, host)}",
        f"  carrier     {synapse.carrier}",
        *([f"  role        standby of {' and '.join(synapse.peers)}"] if synapse.peers else ()),
        f"  connect     await connect_synapse({joined([own, *synapse.peers])!r}{key})",
        f"              Dendrite(synapse=synapse, namespace={first!r})",
        *([] if metrics_url is None else [f"  metrics     {metrics_url}"]),
        "  stop        Ctrl-C",
    ]
    if synapse.announced_as is not None:
        lines.append(f"  announced   as {synapse.announced_as}; 'cosmo find' on other machines")
    if is_every(host):
        lines += [f"  for others  {each}" for each in others or ["no address besides loopback"]]
    return "\n".join(lines)


def _who_may_join(ring: KeyRing | None, host: str) -> str:
    """Return who may join a Synapse, as a text."""
    if ring is not None:
        allowed = f"{len(ring.members):,} names" if len(ring.members) != 1 else "1 name"
        hint = "" if ring.members else ": run 'cosmo keys new NAME'"
        return f"{allowed} of the keys in {ring.folder}{hint}"
    if beyond_loopback(host):
        return "INSECURE: whoever reaches this port, on any machine, may read and send everything"
    return "every program on this machine"


def _a_key_file(ring: KeyRing) -> str:
    """Return the name of a key file for an example."""
    names = (each.name for each in ring.members.values() if not each.is_local)
    return next(names, "NAME") + KEY_SUFFIX


def _urls_for_others(url: str, host: str) -> list[str]:
    """Return the URLs for other machines, of a Synapse that listens on every interface."""
    if not is_every(host):
        return []
    port = url.rpartition(":")[2]
    named = (f"[{each}]" if ":" in each else each for each in addresses(host))
    return [f"cosmo://{each}:{port}" for each in named]
