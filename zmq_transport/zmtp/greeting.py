"""The opening of a connection: what a peer says before any traffic, and what it may say.

Spec: docs/spec/10-zmtp.md, Greeting. Source: ZMTP 3.1, https://rfc.zeromq.org/spec/37. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..errors import ZmtpFault, shown

GREETING_BYTES: Final = 64
MECHANISM: Final = b"NULL"
SIGNATURE: Final = b"\xff" + bytes(7) + b"\x01\x7f"
"""As libzmq sends it; the eight bytes in the middle are padding, which a reader ignores."""
OPENING: Final = SIGNATURE + b"\x03\x01"
REST: Final = MECHANISM.ljust(20, b"\0") + bytes(32)
GREETING: Final = OPENING + REST
_MAJOR: Final = 3
_SHOWN_BYTES: Final = 24
_SIZE_BYTES: Final = 4


def check_greeting(seen: bytes) -> int | None:
    """Check the greeting of a peer as far as it has come.

    Args:
        seen: The first bytes of the connection.

    Returns:
        The minor version of the peer once its greeting is whole, None before.

    Raises:
        ZmtpFault: It is none of ours.
    """
    if seen[:1] not in (b"", SIGNATURE[:1]) or seen[9:10] not in (b"", SIGNATURE[-1:]):
        raise ZmtpFault("not_zmtp", f"it does not speak ZMTP: it sent {seen[:_SHOWN_BYTES]!r}")
    if len(seen) > len(SIGNATURE) and (major := seen[10]) < _MAJOR:
        raise ZmtpFault("old_zmtp", f"it speaks ZMTP {major}, not {_MAJOR}")
    if len(seen) < GREETING_BYTES:
        return None
    mechanism = seen[12:32].rstrip(b"\0")
    if mechanism != MECHANISM:
        raise ZmtpFault("mechanism", f"its mechanism is {shown(mechanism)}, not {MECHANISM!r}")
    return seen[11]


def ready_properties(socket_type: bytes) -> bytes:
    """Return the data of the READY of a socket; it assigns itself no Identity."""
    properties = _property(b"Socket-Type", socket_type)
    if socket_type in (b"DEALER", b"ROUTER"):  # as libzmq does
        properties += _property(b"Identity", b"")
    return properties


def read_properties(data: bytes) -> Mapping[bytes, bytes]:
    """Return the properties of a READY, each under its name in lower case.

    Raises:
        ZmtpFault: It is cut off.
    """
    properties = {}
    at = 0
    while at < len(data):
        value_at = at + 1 + data[at] + _SIZE_BYTES
        size = int.from_bytes(data[value_at - _SIZE_BYTES : value_at], "big")
        end = value_at + size
        if end > len(data):
            raise ZmtpFault("bad_ready", "its READY is cut off")
        properties[data[at + 1 : value_at - _SIZE_BYTES].lower()] = data[value_at:end]
        at = end
    return properties


def check_ready(data: bytes, expected: bytes) -> None:
    """Check the data of the READY of a peer.

    An Identity is ignored: the connection ids of a proxy are its own (02-session, Ids 1).

    Args:
        data: Its properties.
        expected: The type of the socket that belongs there.

    Raises:
        ZmtpFault: It is malformed, or another socket.
    """
    socket_type = read_properties(data).get(b"socket-type")
    if socket_type is None:
        raise ZmtpFault("bad_ready", "its READY names no Socket-Type")
    if socket_type != expected:
        text = f"it is a socket of type {shown(socket_type)}, not {expected!r}"
        raise ZmtpFault("socket_type", text)


def _property(name: bytes, value: bytes) -> bytes:
    return bytes((len(name),)) + name + len(value).to_bytes(_SIZE_BYTES, "big") + value
