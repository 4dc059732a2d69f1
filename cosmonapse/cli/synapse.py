"""`cosmo synapse start`: the Synapse as a process."""

from __future__ import annotations

import signal
from types import FrameType

import click

from ..runtime.environment import CARRIER_VARIABLE
from ..synapse.carriers import CARRIERS, DEFAULT_CARRIER
from ..synapse.server import SynapseProcess
from ..synapse.url import DEFAULT_HOST, DEFAULT_PORT
from .addresses import addresses, is_every
from .log import SignalLog
from .std_streams import complain

_carrier_option = click.option(
    "--carrier",
    type=click.Choice(CARRIERS),
    envvar=CARRIER_VARIABLE,
    default=DEFAULT_CARRIER,
    show_default=True,
    show_envvar=True,
    help="What carries the directed plane. Dendrites with either can join.",
)


@click.group()
def command() -> None:
    """Run the Synapse."""


@command.command()
@click.argument("store", type=click.Choice(["memory"]), default="memory")
@click.option(
    "--namespace",
    "-n",
    "namespaces",
    multiple=True,
    metavar="NS",
    help="Serve this namespace only; repeatable. By default every namespace is served.",
)
@click.option(
    "--host",
    default=DEFAULT_HOST,
    show_default=True,
    # As in a URL an IPv6 address may stand in brackets.
    callback=lambda context, option, host: host.removeprefix("[").removesuffix("]"),
    help="Address to listen on.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_532),
    default=DEFAULT_PORT,
    show_default=True,
    help="TCP port; port + 2 and port + 3 carry broadcasts. 0: any free ones.",
)
@click.option(
    "--ipc",
    metavar="PATH",
    help="Listen at this Unix socket too, for this user on this machine.",
)
@_carrier_option
@click.option(
    "--max-signal-bytes",
    type=click.IntRange(1024, 2**31 - 2**17),
    default=16 * 1024 * 1024,
    show_default=True,
    help="Size limit of an encoded Signal; sent to each Dendrite.",
)
@click.option(
    "--max-connections",
    type=click.IntRange(1, 1_000_000),
    default=60_000,
    show_default=True,
    help="Most Dendrites at a time; each needs up to three file descriptors.",
)
@click.option("--quiet", "-q", is_flag=True, help="Print no line for each Signal.")
def start(
    store: str,
    namespaces: tuple[str, ...],
    host: str,
    port: int,
    ipc: str | None,
    carrier: str,
    max_signal_bytes: int,
    max_connections: int,
    quiet: bool,
) -> int:
    """Run a Synapse until Ctrl-C or SIGTERM.

    STORE is where its state is held: `memory`, as all of it is rebuilt after a restart.
    """
    log = None if quiet else SignalLog()
    synapse = SynapseProcess(
        host,
        port,
        namespaces,
        log.note if log else None,
        ipc=ipc,
        carrier=carrier,
        max_signal_bytes=max_signal_bytes,
        max_connections=max_connections,
    )
    received = _stop_on_signals(synapse)
    click.echo(_banner(synapse, host, namespaces))
    try:
        synapse.run()
    finally:
        if log is not None:
            log.close()
    complain("Synapse stopped; the Dendrites were notified.")
    return 130 if signal.SIGINT in received else 0


def _stop_on_signals(synapse: SynapseProcess) -> list[int]:
    """Let signals end a Synapse; return a list that gets the number of each."""
    received: list[int] = []

    def on_stop(number: int, frame: FrameType | None) -> None:
        received.append(number)
        synapse.ask_to_stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_stop)
    return received


def _banner(synapse: SynapseProcess, host: str, namespaces: tuple[str, ...]) -> str:
    url, ipc_url = synapse.url, synapse.ipc_url
    served = ", ".join(namespaces) if namespaces else "any"
    first = namespaces[0] if namespaces else "default"
    others = _urls_for_others(url, host)
    lines = [
        f"Synapse listening on {url}",
        f"  namespaces  {served}",
        f"  carrier     {synapse.carrier}",
        f"  connect     await connect_synapse({next(iter(others), url)!r})",
        f"              Dendrite(synapse=synapse, namespace={first!r})",
        "  stop        Ctrl-C",
    ]
    if ipc_url is not None:
        lines.insert(1, f"  and on      {ipc_url}")
    if not host.startswith("127.") and host not in ("localhost", "::1"):
        lines.append(
            "  note        open to the network: every process that reaches this port can join"
        )
    if is_every(host):
        lines += [f"  for others  {each}" for each in others or ["no address besides loopback"]]
    return "\n".join(lines)


def _urls_for_others(url: str, host: str) -> list[str]:
    """Return the URLs for other machines, of a Synapse that listens on every interface."""
    if not is_every(host):
        return []
    port = url.rpartition(":")[2]
    named = (f"[{each}]" if ":" in each else each for each in addresses(host))
    return [f"cosmo://{each}:{port}" for each in named]
