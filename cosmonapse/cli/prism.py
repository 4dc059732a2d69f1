"""`cosmo prism`: every Signal of a namespace in a browser."""

from __future__ import annotations

from typing import Any

import click

from ..keys import Key
from .fabric import fabric_options
from .log_format import log_format_option
from .metrics import metrics_option
from .observing import browser_options, live, show_prism
from .replaying import replay_option, replayed


@click.command()
@fabric_options
@browser_options
@replay_option
@click.option(
    "--speed",
    type=click.FloatRange(0.001, 10_000),
    help="Replay it so many times as fast as it was, not all at once.",
)
@log_format_option
@metrics_option
def command(
    url: str,
    key: Key | None,
    namespace: str,
    replay: str | None,
    speed: float | None,
    **options: Any,
) -> int:
    """Show every Signal of a namespace in a browser, read-only.

    Needs the extra [prism]. Waits for a Synapse that is not there yet. With --replay it shows a
    recording of 'cosmo record', and needs no Synapse. Ctrl-C ends it.
    """
    if replay is not None:
        return show_prism(replayed(replay, speed), **options)
    if speed is not None:
        raise click.UsageError("--speed is for a recording: give --replay FILE too")
    return show_prism(live(url, key, namespace), **options)
