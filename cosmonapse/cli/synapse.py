"""`cosmo synapse start`: the Synapse as a process of its own."""

from __future__ import annotations

import signal
from types import FrameType

import click

from ..synapse.server import SynapseProcess
from ..synapse.url import DEFAULT_HOST, DEFAULT_PORT
from .log import SignalLog


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
    help="Serve this namespace only; repeatable. Without it any is served.",
)
@click.option("--host", default=DEFAULT_HOST, show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_532),
    default=DEFAULT_PORT,
    show_default=True,
    help="TCP port; two and three above it carry broadcasts. 0: any free ones.",
)
@click.option(
    "--ipc",
    metavar="PATH",
    help="Listen at this Unix socket as well, for this user on this machine.",
)
@click.option(
    "--max-signal-bytes",
    type=click.IntRange(1024, 2**31 - 2**17),
    default=16 * 1024 * 1024,
    show_default=True,
    help="Size limit of an encoded Signal; Dendrites are told.",
)
@click.option(
    "--max-connections",
    type=click.IntRange(1, 1_000_000),
    default=60_000,
    show_default=True,
    help="How many Dendrites are taken in; each takes up to three file descriptors.",
)
@click.option("--quiet", "-q", is_flag=True, help="No line for each Signal.")
def start(
    store: str,
    namespaces: tuple[str, ...],
    host: str,
    port: int,
    ipc: str | None,
    max_signal_bytes: int,
    max_connections: int,
    quiet: bool,
) -> int:
    """Run a Synapse until Ctrl-C or SIGTERM.

    STORE is where it keeps its state: `memory`, for all of it is soft and rebuilds itself.
    """
    log = None if quiet else SignalLog()
    synapse = SynapseProcess(
        host,
        port,
        namespaces,
        log.note if log else None,
        ipc=ipc,
        max_signal_bytes=max_signal_bytes,
        max_connections=max_connections,
    )
    received: list[int] = []

    def on_stop(number: int, frame: FrameType | None) -> None:
        received.append(number)
        synapse.ask_to_stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_stop)
    click.echo(_banner(synapse.url, synapse.ipc_url, host, namespaces))
    try:
        synapse.run()
    finally:
        if log is not None:
            log.close()
    click.echo("Synapse stopped; the Dendrites were told.", err=True)
    return 130 if signal.SIGINT in received else 0


def _banner(url: str, ipc_url: str | None, host: str, namespaces: tuple[str, ...]) -> str:
    served = ", ".join(namespaces) if namespaces else "any"
    first = namespaces[0] if namespaces else "default"
    lines = [
        f"Synapse listening on {url}",
        f"  namespaces  {served}",
        f"  connect     await connect_synapse({url.replace('0.0.0.0', 'THIS-HOST')!r})",
        f"              Dendrite(synapse=synapse, namespace={first!r})",
        "  stop        Ctrl-C",
    ]
    if ipc_url is not None:
        lines.insert(1, f"  and on      {ipc_url}")
    if not host.startswith("127.") and host != "localhost":
        lines.append("  note        open to the network: whoever reaches this port can join")
    return "\n".join(lines)
