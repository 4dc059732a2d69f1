"""The Signals that a decorator of a Dendrite delivers, recorded for a test."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ...signals import Signal


def recorded(decorator: Callable[..., Any]) -> list[Signal]:
    """Decorate a function that records the Signals it gets; return the growing list of them."""
    signals: list[Signal] = []

    @decorator
    async def record(sig: Signal) -> None:
        signals.append(sig)

    return signals


def about(signals: Iterable[Signal], *traces: str) -> list[Signal]:
    """Return those of the Signals that belong to one of the traces."""
    return [sig for sig in signals if sig.trace_id in traces]


def deltas(signals: Iterable[Signal]) -> list[Any]:
    """Return the texts that were streamed."""
    return [sig.payload["delta"] for sig in signals]
