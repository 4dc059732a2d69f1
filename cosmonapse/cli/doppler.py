"""`cosmo doppler`: every Signal of a namespace as it passes."""

from __future__ import annotations

import asyncio
import signal

import click

from ..doppler.signal_filter import SignalFilter
from ..doppler.tail import Tail
from ..keys import Key
from ..names import checked_name
from ..signals import SignalType
from .doppler_output import printed, say
from .fabric import fabric_options
from .log import own_stdout
from .observing import browser_options, show_prism
from .options import complete_type, signal_types, trace_option

_PRESENCE = frozenset({SignalType.REGISTER, SignalType.HEARTBEAT, SignalType.DEREGISTER})
_BY_PRISM = "--prism shows everything: remove the options that choose or format Signals"


@click.command()
@fabric_options
@click.option(
    "--type",
    "types",
    metavar="T",
    callback=signal_types,
    shell_complete=complete_type,
    multiple=True,
    help="Show this type only, such as ERROR; repeatable.",
)
@click.option(
    "--no-type",
    "hidden",
    metavar="T",
    callback=signal_types,
    shell_complete=complete_type,
    multiple=True,
    help="Hide this type; repeatable.",
)
@click.option("--presence", is_flag=True, help="Show REGISTER, HEARTBEAT and DEREGISTER too.")
@click.option(
    "--trace",
    metavar="ID",
    callback=trace_option,
    help="Show this workflow only: its trace id, or at least its first 8 characters.",
)
@click.option("--neuron", metavar="ID", help="Show only Signals from this neuron and TASKs for it.")
@click.option("--json", "as_lines", is_flag=True, help="Print one JSON object a line, for jq.")
@click.option("--payload", is_flag=True, help="Print the whole payload below each line.")
@click.option("--unfold", is_flag=True, help="Print each piece of a stream on a line of its own.")
@click.option(
    "--since-start",
    is_flag=True,
    help="Begin with the Axons already there, as REGISTER. Earlier Signals are not stored.",
)
@click.option("--prism", is_flag=True, help="Show them in a browser; needs the extra [prism].")
@browser_options
def command(
    url: str,
    key: Key | None,
    namespace: str,
    types: frozenset[SignalType],
    hidden: frozenset[SignalType],
    presence: bool,
    trace: str | None,
    neuron: str | None,
    as_lines: bool,
    payload: bool,
    unfold: bool,
    since_start: bool,
    prism: bool,
    host: str,
    port: int,
    has_token: bool,
    no_browser: bool,
) -> int:
    """Show every Signal of a namespace as it passes, until Ctrl-C.

    REGISTER, HEARTBEAT and DEREGISTER are hidden, unless --presence or --type wants them. On a
    terminal a stream is one line that grows, and a reply shows how long its task took.

    Values under keys such as api_key, token or password are masked. The number of Signals missed is
    printed too, with --json on stderr.
    """
    if prism:
        if any((types, hidden, presence, trace, neuron, as_lines, payload, unfold, since_start)):
            raise click.UsageError(_BY_PRISM)
        return show_prism(url, key, namespace, host, port, has_token, no_browser)
    if neuron is not None:
        checked_name("--neuron", neuron)
    wanted = SignalFilter(_wanted_types(types, hidden, presence), trace, neuron)
    tail = Tail(url, namespace, wanted, own_stdout(), printed(as_lines, payload, unfold), say, key)
    ended_by = asyncio.run(tail.run(since_start))
    return 130 if ended_by == signal.SIGINT else 0


def _wanted_types(
    types: frozenset[SignalType], hidden: frozenset[SignalType], presence: bool
) -> frozenset[SignalType]:
    """Return the types to show.

    Raises:
        UsageError: None is left.
    """
    wanted = (types or frozenset(SignalType) - (frozenset() if presence else _PRESENCE)) - hidden
    if not wanted:
        raise click.UsageError("no type of Signal is left: --no-type hides every --type")
    return wanted
