"""Turns the spans of a Dendrite on and off, by hand or because a TracerProvider is set."""

from __future__ import annotations

import os
from collections import Counter
from typing import Protocol
from weakref import WeakKeyDictionary

from ..telemetry import content, otel_environment
from ..telemetry import span_names as names
from ..telemetry.task_observer import Observers
from .api import NoOpTracerProvider, ProxyTracerProvider, Tracer, TracerProvider, trace
from .tracing_observer import TracingObserver

_INSTRUMENTATION = "cosmonapse"


class _Counting(Protocol):
    counts: Counter[str]


class Traceable(Protocol):
    """What is traced: a Dendrite."""

    namespace: str
    dendrite_id: str
    _observers: Observers

    @property
    def _inbox(self) -> _Counting: ...


class Holder(Protocol):
    """What has a Dendrite: a BlockingDendrite."""

    @property
    def dendrite(self) -> Traceable:
        """The Dendrite."""


_observer_of: WeakKeyDictionary[Traceable, TracingObserver] = WeakKeyDictionary()


def enable(
    dendrite: Traceable | Holder,
    tracer_provider: TracerProvider | None = None,
    *,
    capture_content: bool | None = None,
) -> None:
    """Make spans of the tasks of a Dendrite, from the next one on; before its start or after it.

    A second call replaces the first. The calls to models that its Neurons make have spans as well,
    by the same provider.

    Args:
        dendrite: A Dendrite, or a BlockingDendrite.
        tracer_provider: Makes the spans; by default the global one of OpenTelemetry.
        capture_content: Whether prompts, outputs and the arguments and results of tools are
            recorded; by default the variable OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT.

    Raises:
        MissingExtra: opentelemetry-api is not installed; raised at the import of this module.
    """
    traced = dendrite_of(dendrite)
    disable(traced)
    captures = capture_content
    if captures is None:
        captures = content.is_asked_for(os.environ.get(names.CAPTURE_VARIABLE))
    tracer = _tracer(tracer_provider)
    observer = TracingObserver(
        tracer, traced.namespace, traced.dendrite_id, traced._inbox.counts, captures
    )
    _observer_of[traced] = observer
    traced._observers.add(observer)


def disable(dendrite: Traceable | Holder) -> None:
    """Make no spans of a Dendrite any more; those that are open end now. Idempotent."""
    traced = dendrite_of(dendrite)
    observer = _observer_of.pop(traced, None)
    if observer is not None:
        traced._observers.remove(observer)


def is_enabled(dendrite: Traceable | Holder) -> bool:
    """Return whether spans are made of the tasks of a Dendrite, which has not stopped."""
    traced = dendrite_of(dendrite)
    observer = _observer_of.get(traced)
    return observer is not None and traced._observers.has(observer)


def enable_if_configured(dendrite: Traceable) -> None:
    """Turn the spans of a Dendrite on if the program has set a TracerProvider, else do nothing."""
    if dendrite in _observer_of or otel_environment.is_off(os.environ):
        return
    if not isinstance(trace.get_tracer_provider(), ProxyTracerProvider | NoOpTracerProvider):
        enable(dendrite)


def dendrite_of(dendrite: Traceable | Holder) -> Traceable:
    """Return the Dendrite of a BlockingDendrite or of an HTTP edge, and a Dendrite as it is."""
    held: Traceable | Holder | None = getattr(dendrite, "dendrite", None)
    return dendrite if held is None else dendrite_of(held)  # type: ignore[return-value]


def _tracer(provider: TracerProvider | None) -> Tracer:
    return trace.get_tracer(_INSTRUMENTATION, None, provider, names.SCHEMA_URL)
