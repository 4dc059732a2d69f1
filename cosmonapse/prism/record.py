"""What a page gets of a Signal. Pure. Its shape stands in docs/prism.md."""

from __future__ import annotations

from typing import Any

from ..doppler.heard import Heard, hex_of
from ..doppler.masking import Masking, masked


def record_of(number: int, heard: Heard) -> dict[str, Any]:
    """Return the record of a Signal: secrets masked, long values cut."""
    signal, directed = heard.signal, heard.signal.directed
    masking = Masking(shortens=True)
    record: dict[str, Any] = {
        "n": number,
        "id": signal.id,
        "trace_id": signal.trace_id,
        "parent_id": signal.parent_id,
        "type": signal.type.value,
        "ts": signal.ts,
        "neuron": None if directed is None else directed.id,
        "capabilities": [] if directed is None else directed.capabilities[:100],
        "caller": hex_of(heard.caller),
        "worker": hex_of(heard.worker),
        "bytes": len(heard.body),
        "payload": masking.of(signal.payload),
    }
    if signal.meta:
        record["meta"] = masking.of(signal.meta)
    if masking.cut:
        record["cut"] = True
    return record


def envelope_of(number: int, heard: Heard) -> dict[str, Any]:
    """Return the whole envelope of a Signal: secrets masked, nothing cut."""
    signal, directed = heard.signal, heard.signal.directed
    return {
        "n": number,
        "v": signal.v,
        "id": signal.id,
        "trace_id": signal.trace_id,
        "parent_id": signal.parent_id,
        "type": signal.type.value,
        "ts": masked(signal.ts),
        "directed": None
        if directed is None
        else {
            "id": directed.id,
            "type": directed.type,
            "capabilities": directed.capabilities,
        },
        "caller": hex_of(heard.caller),
        "worker": hex_of(heard.worker),
        "bytes": len(heard.body),
        "payload": masked(signal.payload),
        "meta": masked(signal.meta),
    }
