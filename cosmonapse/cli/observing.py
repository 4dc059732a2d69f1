"""Prism from the command line, for `cosmo doppler --prism` and `cosmo prism`."""

from __future__ import annotations

import asyncio
import html
import secrets
import signal
import tempfile
import threading
import webbrowser
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import click

from .. import __version__
from ..doppler.observer import Listener
from ..http_server.bound_address import LOOPBACK, BoundAddress
from ..http_server.listening import listening
from ..keys import Key
from ..prism.feed import Feed, LiveFeed
from ..prism.model_facts import Prices
from ..prism.server import DEFAULT_PORT, serve
from ..prism.token_check import PARAMETER
from ..prism.watch import Watch
from ..runtime.addresses import addresses
from ..runtime.printable import printable
from ..telemetry.liveness import LoopPulse
from .log_format import begin_logs, tell
from .metrics import served

if TYPE_CHECKING:
    from ..exposition.exposed import Exposed

F = TypeVar("F", bound=Callable[..., Any])
_TOKEN_BYTES = 32
_NOT_ENCRYPTED = (
    "  note        HTTP is not encrypted: on a network that you trust alone, or by a tunnel"
)


def browser_options(function: F) -> F:
    """Add `--host`, `--port`, `--token` and `--no-browser`."""
    host = click.option(
        "--host",
        default=LOOPBACK,
        show_default=True,
        help="Address for Prism. Beyond loopback it asks for the token in the URL that it prints.",
    )
    port = click.option(
        "--port",
        type=click.IntRange(0, 65_535),
        default=DEFAULT_PORT,
        show_default=True,
        help="Port for Prism; 0: any free one.",
    )
    token = click.option(
        "--token",
        "has_token",
        is_flag=True,
        help="Ask for a token on loopback too: other users of this machine see nothing.",
    )
    no_browser = click.option("--no-browser", is_flag=True, help="Open no browser.")
    return host(port(token(no_browser(function))))


@attrs.frozen
class Shown:
    """What Prism shows.

    Args:
        name: What it is, for people.
        feed_of: Returns where its data comes from, given the listener and what reports to the user.
    """

    name: str
    feed_of: Callable[[Listener, Callable[[str], None]], Feed]


def live(url: str, key: Key | None, namespace: str) -> Shown:
    """Return a namespace as it is now."""
    return Shown(namespace, lambda listener, _: LiveFeed(url, namespace, listener, key))


def show_prism(
    shown: Shown,
    host: str,
    port: int,
    has_token: bool,
    no_browser: bool,
    metrics: str | None = None,
    prices: Prices | None = None,
) -> int:
    """Serve Prism until an OS signal stops it; return the exit code.

    Raises:
        MissingExtra: starlette or uvicorn is not installed.
        PortInUse: Another process listens there, or the host is none of this machine.
        SynapseRefused: The Synapse refuses the namespace, or is full.
    """

    named = begin_logs()

    def say(line: str) -> None:
        tell(line) if named else click.echo(printable(line))

    async def main() -> int:
        watch = Watch(lambda listener: shown.feed_of(listener, say), __version__, say, prices)
        pulse = LoopPulse()
        pulse.start()
        listeners, bound = listening(host, port)
        with ExitStack() as stack:
            for each in listeners:
                stack.enter_context(each)
            metrics_url = stack.enter_context(served(metrics, lambda: _source_of(watch, pulse)))
            needs_token = has_token or bound.is_beyond_loopback
            token = secrets.token_urlsafe(_TOKEN_BYTES) if needs_token else None

            def on_ready() -> None:
                first, *others = _urls(bound, token)
                say(f"Prism shows {shown.name} on {first}")
                for each in others:
                    say(f"  and on      {each}")
                if metrics_url is not None:
                    say(f"  metrics     {metrics_url}")
                if named is None:
                    say("  stop        Ctrl-C")
                if bound.is_beyond_loopback:
                    say(_NOT_ENCRYPTED)
                if not no_browser:
                    _open_browser(_as_file(first, stack) if token else first)

            return await serve(
                watch, listeners, bound, token, on_ready, logs_by_itself=named is None
            )

    return 130 if asyncio.run(main()) == signal.SIGINT else 0


def _source_of(watch: Watch, pulse: LoopPulse) -> Exposed:
    from ..exposition.prism_source import PrismSource

    return PrismSource(watch, pulse)


def _urls(bound: BoundAddress, token: str | None) -> list[str]:
    """Return the addresses to open; of a Prism on every interface, one for each."""
    query = "" if token is None else f"?{PARAMETER}={token}"
    urls = [bound.url]
    if bound.is_every:
        urls += [bound.url_at(each) for each in addresses(bound.addresses[0])]
    return [each + query for each in urls]


def _as_file(url: str, stack: ExitStack) -> str:
    """Return the URL of a file that leads on to `url`; only this user can read it.

    A browser gets what it opens as an argument, and other users can list those of each process.
    """
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cosmo-prism-")))
    page = folder / "open.html"
    page.touch(0o600)
    page.write_text(
        '<!doctype html><meta charset="utf-8"><title>Prism</title>'
        f'<meta http-equiv="refresh" content="0; url={html.escape(url)}">\n',
        encoding="utf-8",
    )
    return page.as_uri()


def _open_browser(url: str) -> None:
    """Open a page without waiting for it; without a browser nothing happens."""
    threading.Thread(target=webbrowser.open, args=(url,), name="browser", daemon=True).start()
