"""What a Synapse publishes in the name of an Axon that can no longer do it itself."""

from __future__ import annotations

from ..signals import Directed, Signal, SignalType


def lost_notice(
    neuron_id: str, capabilities: frozenset[str], instance: bytes, reason: str
) -> tuple[int, bytes]:
    """Return the type code and the bytes of a DEREGISTER."""
    signal = Signal(
        type=SignalType.DEREGISTER,
        payload={"reason": reason},
        directed=Directed(neuron_id, "neuron", tuple(sorted(capabilities))),
        meta={"instance": instance.hex()},
    )
    return signal.type.code, signal.encode()
