"""What `cosmo serve` tells while it runs: people by lines, and the service manager."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import attrs

from ..http_server.bound_address import BoundAddress
from .std_streams import complain

if TYPE_CHECKING:
    from ..telemetry.service_reporter import ServiceReporter

_NOT_ENCRYPTED = (
    "HTTP is not encrypted: on a network that you trust alone, or behind a proxy with TLS"
)
_WAITING = (
    "cosmo serve: no Synapse answers at {url} yet, and requests get 503 until one does: start one, "
    "or check the URL"
)
_ENDING = (
    "cosmo serve: ending: streams end now, plain calls within {grace_s:g} s ({count} under way; "
    "a second signal ends them at once)"
)


@attrs.frozen(kw_only=True)
class GatewayPrinter:
    """The `GatewayObserver` of the verb.

    Args:
        namespace: Whose Neurons are served.
        url: The URL of the Synapse, without its secrets.
        bound: Where the gateway listens.
        paths: The first path of each face, by its name, without a slash at its beginning.
        metrics_url: Where its metrics are; None for nowhere.
        has_token: Whether clients must send a token.
        grace_s: How long plain calls may take at its end.
        reporter: Reports to the service manager.
        say: Prints a line to stdout, or logs it.
    """

    namespace: str
    url: str
    bound: BoundAddress
    paths: Mapping[str, str]
    metrics_url: str | None
    has_token: bool
    grace_s: float
    reporter: ServiceReporter
    say: Callable[[str], None]

    def on_listening(self) -> None:
        """Say where it listens, and who may use it."""
        self.say(f"Gateway of {self.namespace} listening on {self.bound.url.rstrip('/')}")
        for face, path in self.paths.items():
            self.say(f"  {face:<11} {self.bound.url}{path}")
        if self.metrics_url is not None:
            self.say(f"  metrics     {self.metrics_url}")
        asked = "asked for" if self.has_token else "none: loopback only"
        self.say(f"  token       {asked}")
        if self.bound.is_beyond_loopback:
            self.say(f"  note        {_NOT_ENCRYPTED}")

    def on_waiting(self) -> None:
        """Say that no Synapse answers."""
        complain(_WAITING.format(url=self.url))

    def on_connected(self) -> None:
        """Say that the Synapse answers: from now on the service is ready."""
        self.say(f"  connected   {self.url}")
        self.reporter.ready()

    def on_ending(self, open_count: int) -> None:
        """Say what the end waits for."""
        self.reporter.stopping("ending")
        if open_count:
            complain(_ENDING.format(count=open_count, grace_s=self.grace_s))
