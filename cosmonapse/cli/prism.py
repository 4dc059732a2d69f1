"""`cosmo prism`: every Signal of a namespace in a browser."""

from __future__ import annotations

from typing import Any

import click

from .fabric import fabric_options
from .log_format import log_format_option
from .metrics import metrics_option
from .observing import browser_options, show_prism


@click.command()
@fabric_options
@browser_options
@log_format_option
@metrics_option
def command(**options: Any) -> int:
    """Show every Signal of a namespace in a browser, read-only.

    Needs the extra [prism]. Waits for a Synapse that is not there yet. Ctrl-C ends it.
    """
    return show_prism(**options)
