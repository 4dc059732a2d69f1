"""`cosmo prism`: every Signal of a namespace in a browser."""

from __future__ import annotations

from typing import Any

import click

from ..keys import Key
from ..prism.model_facts import BadPrices
from ..prism.price_file import read_prices
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
@click.option(
    "--prices",
    "price_file",
    metavar="FILE",
    help="Prices of models, as JSON or TOML: what a trace has cost is shown too.",
)
@log_format_option
@metrics_option
def command(
    url: str,
    key: Key | None,
    namespace: str,
    replay: str | None,
    speed: float | None,
    price_file: str | None,
    **options: Any,
) -> int:
    """Show every Signal of a namespace in a browser, read-only.

    Needs the extra [prism]. Waits for a Synapse that is not there yet. With --replay it shows a
    recording of 'cosmo record', and needs no Synapse. Ctrl-C ends it.
    """
    try:
        options["prices"] = None if price_file is None else read_prices(price_file)
    except BadPrices as error:
        raise click.UsageError(f"--prices: {error}") from None
    if replay is not None:
        return show_prism(replayed(replay, speed), **options)
    if speed is not None:
        raise click.UsageError("--speed is for a recording: give --replay FILE too")
    return show_prism(live(url, key, namespace), **options)
