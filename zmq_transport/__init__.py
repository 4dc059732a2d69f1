"""Messages between processes on a LAN, over ZeroMQ: a proxy, its clients and their wire.

Handles bytes, peers, addresses and topics, and nothing of their meaning to an application. A name
is loaded on first use: a proxy needs no asyncio, which is a quarter of its memory.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .access.curve_keys import ClientKeys, KeyPair
    from .access.origin import proxy_user, tag_of
    from .access.proxy_keys import ProxyKeys
    from .access.rights import EVERYTHING, NOTHING, Access, Grant
    from .client.carrier import Carrier, CarrierEvents
    from .client.client import Client
    from .client.diagnosis import Diagnosis
    from .client.events import Outcome, Receiver
    from .client.peek import greets
    from .client.probe import probe
    from .client.zmq_carrier import ZmqCarrier
    from .errors import (
        AccessFault,
        AccessRefused,
        Cause,
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
    from .failover.news import NewsKind, RoleNews
    from .proxy.proxy import Ports, Proxy
    from .proxy.settings import Settings
    from .sockets.carriers import CARRIERS, DEFAULT_CARRIER
    from .sockets.endpoints import FoundEndpoint, IpcEndpoint, TcpEndpoint, TcpEndpoints
    from .sockets.key_pairs import new_key_pair, public_of
    from .sockets.sent import Sent
    from .wire.greetings import Welcome
    from .wire.heads import ItemFlag, Reason, Verb, address_of
    from .wire.open_task_messages import OpenTaskInfo
    from .wire.resync_messages import Held, Opened
    from .wire.roster_messages import ClientInfo, SeatInfo

__all__ = [
    "CARRIERS",
    "DEFAULT_CARRIER",
    "EVERYTHING",
    "NOTHING",
    "Access",
    "AccessFault",
    "AccessRefused",
    "Carrier",
    "CarrierEvents",
    "Cause",
    "Client",
    "ClientInfo",
    "ClientKeys",
    "Diagnosis",
    "EndpointInUse",
    "FoundEndpoint",
    "Grant",
    "Held",
    "InvalidName",
    "IpcEndpoint",
    "ItemFlag",
    "KeyPair",
    "LinkClosed",
    "LocalTransportError",
    "MessageTooLarge",
    "NewsKind",
    "OpenTaskInfo",
    "Opened",
    "Outcome",
    "Ports",
    "Proxy",
    "ProxyKeys",
    "Reason",
    "Receiver",
    "Refused",
    "RemoteTransportError",
    "RoleNews",
    "SeatInfo",
    "Sent",
    "Settings",
    "TcpEndpoint",
    "TcpEndpoints",
    "TransportError",
    "Unreachable",
    "Verb",
    "Welcome",
    "WireError",
    "ZmqCarrier",
    "address_of",
    "greets",
    "new_key_pair",
    "probe",
    "proxy_user",
    "public_of",
    "tag_of",
]

_NAMES = {
    ".access.curve_keys": ("ClientKeys", "KeyPair"),
    ".access.origin": ("proxy_user", "tag_of"),
    ".access.rights": ("EVERYTHING", "NOTHING", "Access", "Grant"),
    ".access.proxy_keys": ("ProxyKeys",),
    ".client.carrier": ("Carrier", "CarrierEvents"),
    ".sockets.carriers": ("CARRIERS", "DEFAULT_CARRIER"),
    ".sockets.sent": ("Sent",),
    ".client.client": ("Client",),
    ".client.diagnosis": ("Diagnosis",),
    ".sockets.endpoints": ("FoundEndpoint", "IpcEndpoint", "TcpEndpoint", "TcpEndpoints"),
    ".sockets.key_pairs": ("new_key_pair", "public_of"),
    ".errors": (
        "AccessFault",
        "AccessRefused",
        "Cause",
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
    ".client.peek": ("greets",),
    ".client.probe": ("probe",),
    ".failover.news": ("NewsKind", "RoleNews"),
    ".proxy.proxy": ("Ports", "Proxy"),
    ".client.events": ("Outcome", "Receiver"),
    ".wire.resync_messages": ("Held", "Opened"),
    ".wire.roster_messages": ("ClientInfo", "SeatInfo"),
    ".proxy.settings": ("Settings",),
    ".wire.greetings": ("Welcome",),
    ".wire.heads": ("ItemFlag", "Reason", "Verb", "address_of"),
    ".wire.open_task_messages": ("OpenTaskInfo",),
    ".client.zmq_carrier": ("ZmqCarrier",),
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home, __name__), name)
    return value
