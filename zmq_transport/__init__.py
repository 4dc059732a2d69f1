"""Messages between processes on a LAN, over ZeroMQ: a proxy, its clients and their wire.

Knows bytes, peers, addresses and topics, and nothing of what they mean to an application.
"""

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
