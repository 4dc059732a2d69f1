"""`cosmo doppler`: every Signal of a namespace as it passes."""

from __future__ import annotations

import click

from .fabric import fabric_options
from .watching import browser_options, show_prism


@click.command()
@fabric_options
@click.option("--prism", is_flag=True, help="In a browser instead; needs the extra [prism].")
@browser_options
def command(url: str, namespace: str, prism: bool, port: int, no_browser: bool) -> int:
    """Show every Signal of a namespace as it passes."""
    return show_prism(url, namespace, port, no_browser)
