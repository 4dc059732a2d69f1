"""`cosmo prism`: every Signal of a namespace in a browser."""

from __future__ import annotations

import click

from ..keys import Key
from .fabric import fabric_options
from .observing import browser_options, show_prism


@click.command()
@fabric_options
@browser_options
def command(
    url: str,
    key: Key | None,
    namespace: str,
    host: str,
    port: int,
    has_token: bool,
    no_browser: bool,
) -> int:
    """Show every Signal of a namespace in a browser, read-only.

    Needs the extra [prism]. Waits for a Synapse that is not there yet. Ctrl-C ends it.
    """
    return show_prism(url, key, namespace, host, port, has_token, no_browser)
