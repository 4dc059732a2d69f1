"""Messages between processes on a LAN, over ZeroMQ: a proxy, its clients and their wire.

Knows bytes, peers, addresses and topics, and nothing of what they mean to an application. A name is
loaded when somebody first asks for it: a proxy needs no asyncio, which is a quarter of its memory.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .carrier import Carrier, CarrierEvents, Sent
    from .client import Client
    from .endpoints import IpcEndpoint, TcpEndpoint
    from .errors import (
        EndpointInUse,
        InvalidName,
        LinkClosed,
        LocalTransportError,
        MessageTooLarge,
        Refused,
        RemoteTransportError,
        TransportError,
        Unreachable,
        WireError,
    )
    from .probing import probe
    from .proxy import Ports, Proxy
    from .receiver import Outcome, Receiver
    from .roster import SeatInfo
    from .tables import Settings
    from .wire import ItemFlag, Reason, Verb, address_of
    from .zmq_carrier import ZmqCarrier

__all__ = [
    "Carrier",
    "CarrierEvents",
    "Client",
    "EndpointInUse",
    "InvalidName",
    "IpcEndpoint",
    "ItemFlag",
    "LinkClosed",
    "LocalTransportError",
    "MessageTooLarge",
    "Outcome",
    "Ports",
    "Proxy",
    "Reason",
    "Receiver",
    "Refused",
    "RemoteTransportError",
    "SeatInfo",
    "Sent",
    "Settings",
    "TcpEndpoint",
    "TransportError",
    "Unreachable",
    "Verb",
    "WireError",
    "ZmqCarrier",
    "address_of",
    "probe",
]

_NAMES = {
    ".carrier": ("Carrier", "CarrierEvents", "Sent"),
    ".client": ("Client",),
    ".endpoints": ("IpcEndpoint", "TcpEndpoint"),
    ".errors": (
        "EndpointInUse",
        "InvalidName",
        "LinkClosed",
        "LocalTransportError",
        "MessageTooLarge",
        "Refused",
        "RemoteTransportError",
        "TransportError",
        "Unreachable",
        "WireError",
    ),
    ".probing": ("probe",),
    ".proxy": ("Ports", "Proxy"),
    ".receiver": ("Outcome", "Receiver"),
    ".roster": ("SeatInfo",),
    ".tables": ("Settings",),
    ".wire": ("ItemFlag", "Reason", "Verb", "address_of"),
    ".zmq_carrier": ("ZmqCarrier",),
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home, __name__), name)
    return value
