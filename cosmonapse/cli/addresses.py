"""The addresses at which other machines reach a socket that listens on every interface. Linux."""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import socket
from pathlib import Path

_SIOCGIFADDR = 0x8915  # from <linux/sockios.h>: the IPv4 address of an interface
_NAME_BYTES = 15
_IPV6_TABLE = Path("/proc/net/if_inet6")
_EVERY = ("0.0.0.0", "::", "*")  # compared with, not bound to


def is_every(host: str) -> bool:
    """Return whether a host stands for every interface of this machine."""
    return host.strip("[]") in _EVERY


def addresses(host: str) -> list[str]:
    """Return the addresses of this machine that others can use, without loopback and link-local.

    Args:
        host: A host for which `is_every` is true; only `::` brings addresses of IPv6.
    """
    found = _ipv4()
    if host.strip("[]") == "::":
        found += _ipv6()
    return [each for each in dict.fromkeys(found) if _is_for_others(each)]


def _is_for_others(text: str) -> bool:
    address = ipaddress.ip_address(text)
    return not (address.is_loopback or address.is_link_local)


def _ipv4() -> list[str]:
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        for _, name in socket.if_nameindex():
            request = name.encode()[:_NAME_BYTES].ljust(256, b"\0")
            with contextlib.suppress(OSError):  # an interface without an address of IPv4
                answer = fcntl.ioctl(asked.fileno(), _SIOCGIFADDR, request)
                found.append(socket.inet_ntoa(answer[20:24]))
    return found


def _ipv6() -> list[str]:
    try:
        rows = _IPV6_TABLE.read_text("ascii").splitlines()
    except OSError:
        return []
    return [str(ipaddress.IPv6Address(bytes.fromhex(row.split()[0]))) for row in rows]
