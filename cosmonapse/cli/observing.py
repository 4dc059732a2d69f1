"""Prism from the command line, for `cosmo doppler --prism` and `cosmo prism`."""

from __future__ import annotations

import asyncio
import signal
import threading
import webbrowser
from collections.abc import Callable
from typing import Any, TypeVar

import click

from .. import __version__
from ..prism.server import DEFAULT_PORT, listening, serve
from ..prism.watch import Watch
from ..runtime.printable import printable

F = TypeVar("F", bound=Callable[..., Any])


def browser_options(function: F) -> F:
    """Add `--port` and `--no-browser`."""
    port = click.option(
        "--port",
        type=click.IntRange(0, 65_535),
        default=DEFAULT_PORT,
        show_default=True,
        help="Port for Prism, on 127.0.0.1; 0: any free one.",
    )
    no_browser = click.option("--no-browser", is_flag=True, help="Open no browser.")
    return port(no_browser(function))


def show_prism(url: str, namespace: str, port: int, no_browser: bool) -> int:
    """Serve Prism until an OS signal stops it; return the exit code.

    Raises:
        MissingExtra: starlette or uvicorn is not installed.
        PortInUse: Another process listens there.
        SynapseRefused: The Synapse refuses the namespace, or is full.
    """

    def say(line: str) -> None:
        click.echo(printable(line))

    def on_ready(address: str) -> None:
        say(f"Prism shows {namespace} on {address}")
        say("  stop        Ctrl-C")
        if not no_browser:
            _open_browser(address)

    async def main() -> int:
        watch = Watch(url, namespace, __version__, say)
        with listening(port) as listener:
            return await serve(watch, listener, on_ready)

    return 130 if asyncio.run(main()) == signal.SIGINT else 0


def _open_browser(address: str) -> None:
    """Open a page without waiting for it; without a browser nothing happens."""
    threading.Thread(target=webbrowser.open, args=(address,), name="browser", daemon=True).start()
