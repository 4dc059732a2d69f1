"""Exports traces where the variables of OpenTelemetry ask for it, in processes that are ours.

These are the workers of `cosmo worker` and the Dendrites of the HTTP edges. Without such a variable
nothing is imported.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import sys
from typing import TYPE_CHECKING

from .errors import MissingExtra
from .runtime.threads import in_thread
from .telemetry.otel_environment import exporters_asked_for

if TYPE_CHECKING:
    from .tracing.switch import Traceable

_LOG = logging.getLogger(__name__)


def set_provider_as_asked() -> None:
    """Set the TracerProvider of this process, if a variable asks for one and none is set.

    The Dendrites that start later find it. What is not installed is told in one line of the log.
    """
    if _can_trace():
        from .tracing.exporters import set_as_global

        set_as_global()


def trace_as_asked(dendrite: Traceable) -> None:
    """Trace one Dendrite, if a variable asks for it; the provider of the process stays as it is."""
    if _can_trace():
        from .tracing.exporters import asked_for
        from .tracing.switch import enable

        provider = asked_for()
        if provider is not None:
            enable(dendrite, provider)


async def export_the_rest() -> None:
    """Export what is left of the spans of this process, for at most 2 s; never raise for it.

    A server such as uvicorn ends itself by the signal that it got, and then no `atexit` runs.
    """
    if "cosmonapse.tracing" not in sys.modules:
        return
    from .tracing import exporters

    try:
        async with asyncio.timeout(exporters.FLUSH_S) as waiting:
            await in_thread(exporters.flush, name="export of traces")
    except Exception as error:  # noqa: BLE001  # whatever an exporter raises: the end goes on
        if waiting.expired():
            atexit.unregister(exporters.flush_at_exit)  # it was waited for
        else:
            _LOG.warning("the last spans were not exported: %r", error)


def _can_trace() -> bool:
    if not exporters_asked_for(os.environ):
        return False
    try:
        from . import tracing  # noqa: F401
    except MissingExtra as error:
        _LOG.warning("no traces are exported: %s", error)
        return False
    return True
