"""The DEREGISTER that a Synapse publishes for an Axon that vanished."""

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
