"""Messages between processes on a LAN, over ZeroMQ: a proxy, its clients and their wire.

Knows bytes, peers, addresses and topics, and nothing of what they mean to an application.
"""

from .client import Client, Outcome, Receiver, probe
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
from .proxy import Ports, Proxy
from .tables import Settings
from .wire import ItemFlag, Reason, Verb, address_of

__all__ = [
    "Client",
    "EndpointInUse",
    "InvalidName",
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
    "Settings",
    "TransportError",
    "Unreachable",
    "Verb",
    "WireError",
    "address_of",
    "probe",
]
