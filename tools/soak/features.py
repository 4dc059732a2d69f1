"""What a run with everything on has beside its load, and what of it this checkout has."""

from __future__ import annotations

import importlib.util

import attrs


@attrs.frozen
class Features:
    """What the processes of a run are to have.

    Args:
        metrics: Metrics and probes over HTTP, asked for every 5 s.
        traces: Spans, kept in memory, in each worker and caller in Python.
        logs: Logs of JSON.
    """

    metrics: bool = False
    traces: bool = False
    logs: bool = False

    def names(self, *, on: bool) -> list[str]:
        """Return the names of those that are on, or of those that are not."""
        return [name for name, is_on in attrs.asdict(self).items() if is_on is on]


WITHOUT_CHOICE = ("keys", "javascript", "standby", "prism", "reloads")


def all_features() -> Features:
    """Return all that is installed here."""
    return Features(
        metrics=_has("cosmonapse.metrics") and _has("prometheus_client"),
        traces=_has("cosmonapse.tracing") and _has("opentelemetry.sdk"),
        logs=_has("cosmonapse.logs"),
    )


def _has(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # a package above it is not there
        return False
