"""`cosmo doppler`: every Signal of a namespace as it passes."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import click

from ..doppler.tail import Tail
from ..keys import Key
from ..recordings.prism_memory import DEFAULT_PRISM
from .choosing import Choice, choice_options, hiding_options
from .doppler_output import printed, say
from .fabric import fabric_options
from .log import own_stdout
from .observing import browser_options, live, show_prism
from .replaying import before_of, print_replay, replay_option

_BY_PRISM = "--prism shows everything: remove the options that choose or format Signals"


@click.command()
@fabric_options
@choice_options("Show")
@hiding_options
@click.option("--json", "as_lines", is_flag=True, help="Print one JSON object a line, for jq.")
@click.option("--payload", is_flag=True, help="Print the whole payload below each line.")
@click.option("--unfold", is_flag=True, help="Print each piece of a stream on a line of its own.")
@click.option(
    "--since-start",
    is_flag=True,
    help="Begin with the Axons already there, as REGISTER. Earlier Signals are not stored.",
)
@click.option(
    "--since",
    metavar="TIME",
    help="Begin with what a Prism remembers since then: such as 30s, 5m or 14:05.",
)
@click.option(
    "--from",
    "prism_url",
    metavar="URL",
    help=f"That Prism, as it printed its address; or COSMO_PRISM.  [default: {DEFAULT_PRISM}]",
)
@replay_option
@click.option("--prism", is_flag=True, help="Show them in a browser; needs the extra [prism].")
@browser_options
def command(
    url: str,
    key: Key | None,
    namespace: str,
    as_lines: bool,
    payload: bool,
    unfold: bool,
    since_start: bool,
    since: str | None,
    prism_url: str | None,
    replay: str | None,
    prism: bool,
    host: str,
    port: int,
    has_token: bool,
    no_browser: bool,
    **chosen: Any,
) -> int:
    """Show every Signal of a namespace as it passes, until Ctrl-C.

    REGISTER, HEARTBEAT and DEREGISTER are hidden, unless --presence or --type wants them. On a
    terminal a stream is one line that grows, and a reply shows how long its task took.

    Values under keys such as api_key, token or password are masked. The number of Signals missed is
    printed too, with --json on stderr.
    """
    choice = Choice(**chosen)
    if prism:
        if choice.is_any or any((as_lines, payload, unfold, since_start, since, replay)):
            raise click.UsageError(_BY_PRISM)
        return show_prism(live(url, key, namespace), host, port, has_token, no_browser)
    wanted, printing = choice.wanted(), printed(as_lines, payload, unfold)
    if replay is not None:
        if since_start:
            raise click.UsageError("--since-start is about Axons that are there: not with --replay")
        return print_replay(replay, choice.choose(), printing, since)
    if prism_url is not None and since is None:
        raise click.UsageError("--from is the Prism for --since: give that too")
    before = None if since is None else before_of(since, prism_url)
    choose = choice.choose()
    tail = Tail(url, namespace, wanted, choose, own_stdout(), printing, say, key, before)
    ended_by = asyncio.run(tail.run(since_start))
    return 130 if ended_by == signal.SIGINT else 0
