"""The counters of the transport, for those who may not know it. Pure."""

from __future__ import annotations

from zmq_transport.counters import COUNTERS as TRANSPORT_COUNTERS

__all__ = ["TRANSPORT_COUNTERS"]
