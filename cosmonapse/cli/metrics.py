"""The option `--metrics`: metrics and probes of a long-running verb."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..configuration import chosen_for_process
from ..exposition.place import place_of
from .std_streams import complain

if TYPE_CHECKING:
    from ..exposition.exposed import Exposed

F = TypeVar("F", bound=Callable[..., Any])


def metrics_option(function: F) -> F:
    """Add `--metrics`; the verb is given the address, or None."""
    option = click.option(
        "--metrics",
        metavar="HOST:PORT",
        callback=_checked,
        help="Serve /metrics, /healthz and /readyz there; or COSMO_METRICS. Extra [metrics].",
    )
    return option(function)


def _checked(context: click.Context, option: click.Parameter, address: str | None) -> str | None:
    setting = chosen_for_process("metrics", address)
    if setting.value is None:
        return None
    try:
        place_of(setting.value)
    except ValueError as error:
        raise click.BadParameter(f"{error}{setting.source.blame}") from None
    return str(setting.value)


@contextlib.contextmanager
def served(address: str | None, source: Callable[[], Exposed]) -> Iterator[str | None]:
    """Serve what a source tells; give the URL of its metrics, or None without an address.

    Raises:
        MissingExtra: prometheus-client is not installed.
        PortInUse: It cannot listen there.
    """
    if address is None:
        yield None
        return
    from ..exposition.metrics_server import MetricsServer

    with MetricsServer(address) as server:
        server.source.add(source())
        warn(server.warning)
        yield f"{server.url}/metrics"


def warn(warning: str) -> None:
    """Print the warning of a server, if it has one."""
    if warning:
        complain(f"cosmo: {warning}")
