"""A TracerProvider out of the variables of OpenTelemetry, for the processes that are ours."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from importlib.metadata import entry_points
from typing import Any

from ..telemetry.otel_environment import exporters_asked_for
from .api import NoOpTracerProvider, ProxyTracerProvider, TracerProvider, trace

_LOG = logging.getLogger(__name__)
_GROUP = "opentelemetry_traces_exporter"
_HOW = "pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http"

FLUSH_S = 2.0
"""How long the end of a process may wait for an exporter."""

_made: dict[int, TracerProvider] = {}
"""By process id: the threads of a provider are not in a forked child."""


def is_set() -> bool:
    """Return whether the program has set a TracerProvider itself."""
    return not isinstance(trace.get_tracer_provider(), ProxyTracerProvider | NoOpTracerProvider)


def asked_for() -> TracerProvider | None:
    """Return the TracerProvider that the variables ask for, one for each process.

    Returns:
        None without such a variable, where the program has set a provider itself, or where
        something is not installed; that is told in one line of the log.
    """
    wanted = exporters_asked_for(os.environ)
    if not wanted or is_set():
        return None
    if os.getpid() not in _made:
        try:
            _made[os.getpid()] = _provider(wanted)
        except _CannotExport as error:
            _LOG.warning("no traces are exported: %s", error)
            return None
    return _made[os.getpid()]


def set_as_global() -> None:
    """Set the provider that the variables ask for as that of the process, if they do."""
    provider = asked_for()
    if provider is not None:
        trace.set_tracer_provider(provider)


def flush() -> None:
    """Export what is left of the spans of this process; it takes as long as its exporter does."""
    provider: Any = _made.get(os.getpid(), trace.get_tracer_provider())
    if hasattr(provider, "force_flush"):  # one of the SDK
        provider.force_flush()


def flush_at_exit() -> None:
    """Do the same for at most 2 s: an exporter tries for longer than a process may take to end."""
    flushing = threading.Thread(target=flush, name="export of traces", daemon=True)
    flushing.start()
    flushing.join(FLUSH_S)


class _CannotExport(Exception):
    """A package for what the variables ask for is missing, or its settings are invalid."""


def _provider(wanted: list[tuple[str, ...]]) -> TracerProvider:
    try:
        from opentelemetry.sdk import trace as sdk
        from opentelemetry.sdk.trace import export
    except ImportError:
        raise _CannotExport(
            f"a variable of OpenTelemetry asks for it, and its SDK is not installed: {_HOW}"
        ) from None
    exporters = [_exporter(names) for names in wanted]
    provider = sdk.TracerProvider(shutdown_on_exit=False)  # that waits without a bound
    atexit.register(flush_at_exit)
    for exporter in exporters:
        provider.add_span_processor(export.BatchSpanProcessor(exporter))
    return provider


def _exporter(names: tuple[str, ...]) -> Any:
    for name in names:
        for found in entry_points(group=_GROUP, name=name):
            try:
                return found.load()()
            except ImportError as error:
                raise _CannotExport(f"the exporter {name!r} cannot be loaded: {error}") from None
            except Exception as error:  # noqa: BLE001  # whatever an exporter dislikes in its settings
                raise _CannotExport(f"the exporter {name!r} does not start: {error}") from None
    raise _CannotExport(f"the exporter {' or '.join(names)} is not installed: {_HOW}")
