"""Find every address of a host. Spec: docs/spec/06-sockets.md, Connecting."""

from __future__ import annotations

import ipaddress
import socket


def lookup(host: str, port: int) -> list[str]:
    """Return every address of a host, IPv4 before IPv6; none if the name does not resolve.

    It blocks. The order within a family is that of the system.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    # IPv4 first: a proxy that was told no address listens there.
    found.sort(key=lambda each: each[0] != socket.AF_INET)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_address(host: str) -> bool:
    """Tell whether a host is an IP address, and no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
