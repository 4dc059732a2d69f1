"""The state of a Synapse, out of what the transport tells of its proxy. Pure."""

from __future__ import annotations

from typing import Any

from ..registry import SynapseState


def synapse_state(state: Any, url: str, half: bool = False, warning: str = "") -> SynapseState:
    """Return the state of a Synapse.

    Args:
        state: A `ProxyState` of the transport.
        url: The URL of the Synapse.
        half: Whether it does not hear another one of its fabric.
        warning: What its user should know about the fabric.
    """
    return SynapseState(
        uptime_s=state.uptime_s,
        draining=state.draining,
        connections=state.clients,
        away=state.away,
        axons=state.seats,
        open=state.open,
        parked=state.parked,
        subscriptions=state.topics,
        counts=dict(state.counts),
        recent_s=state.recent_s,
        recent=dict(state.recent),
        url=url,
        half=half,
        warning=warning,
        role=state.role,
        term=state.term,
        peers=tuple(state.peers),
        release=state.release,
        ts=state.ts or None,
    )
