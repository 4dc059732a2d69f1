"""The record of a Signal for a page; docs/prism.md has its shape. Pure."""

from __future__ import annotations

from typing import Any

from ..doppler.masking import Masking, masked
from ..doppler.observed import ObservedSignal, hex_of

_LONGEST_NAME = 256
_LATEST_TS = 1e11


def neuron_of(observed: ObservedSignal) -> str | None:
    """Return the neuron of a Signal; a text too long for a name is cut."""
    name = observed.neuron
    return name if name is None or len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "…"


def finite(ts: float) -> float:
    """Return a time that JSON can represent; a foreign clock may send any value."""
    return ts if -_LATEST_TS < ts < _LATEST_TS else 0.0


def record_of(number: int, observed: ObservedSignal) -> dict[str, Any]:
    """Return the record of a Signal: secrets masked, long values cut."""
    signal, directed = observed.signal, observed.signal.directed
    masking = Masking(shortens=True)
    record: dict[str, Any] = {
        "n": number,
        "id": signal.id,
        "trace_id": signal.trace_id,
        "parent_id": signal.parent_id,
        "type": signal.type.value,
        "ts": finite(signal.ts),
        "neuron": neuron_of(observed),
        "capabilities": [] if directed is None else masking.of(directed.capabilities),
        "caller": hex_of(observed.caller),
        "worker": hex_of(observed.worker),
        "bytes": len(observed.body),
        "payload": masking.of(signal.payload),
    }
    if signal.meta:
        record["meta"] = masking.of(signal.meta)
    if masking.cut:
        record["cut"] = True
    return record


def envelope_of(number: int, observed: ObservedSignal) -> dict[str, Any]:
    """Return the whole envelope of a Signal: secrets masked, nothing cut."""
    signal, directed = observed.signal, observed.signal.directed
    return {
        "n": number,
        "v": signal.v,
        "id": signal.id,
        "trace_id": signal.trace_id,
        "parent_id": signal.parent_id,
        "type": signal.type.value,
        "ts": finite(signal.ts),
        "directed": None
        if directed is None
        else {
            "id": directed.id,
            "type": directed.type,
            "capabilities": directed.capabilities,
        },
        "caller": hex_of(observed.caller),
        "worker": hex_of(observed.worker),
        "bytes": len(observed.body),
        "payload": masked(signal.payload),
        "meta": masked(signal.meta),
    }
