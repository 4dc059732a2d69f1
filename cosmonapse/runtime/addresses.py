"""At which addresses other machines reach a socket that listens on a host. Linux."""

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
_LOOPBACK = "lo"


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


def lan_addresses() -> list[str]:
    """Return the IPv4 addresses of this machine on its networks, those without a router too."""
    return [each for each in dict.fromkeys(_ipv4()) if not _is_loopback(each)]


def reached_at(host: str) -> list[str]:
    """Return the addresses at which others on the LAN reach a socket that listens on a host.

    Args:
        host: As for `beyond_loopback`.
    """
    if is_every(host):
        return list(dict.fromkeys([*lan_addresses(), *addresses(host)]))
    return [each for each in beyond_loopback(host) if _is_address(each)]


def beyond_loopback(host: str) -> list[str]:
    """Return the addresses behind a host by which others may reach it; none for loopback alone.

    A name counts with all addresses that it resolves to, and an interface by its name with those of
    this machine. Of a host that resolves to nothing there is nothing to reach: it cannot be bound.

    Args:
        host: A name or an address, with or without brackets; or one for which `is_every` is true.
    """
    bare = host.strip("[]")
    if bare in ("", *_EVERY):
        return [bare or "*"]
    if bare.partition(":")[0] in {name for _, name in socket.if_nameindex()}:
        return [] if bare == _LOOPBACK else [bare]
    try:
        found = socket.getaddrinfo(bare, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    named = dict.fromkeys(str(where[0]) for *_, where in found)
    return [each for each in named if not _is_loopback(each)]


def _is_loopback(text: str) -> bool:
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


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
