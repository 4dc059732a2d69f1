"""Where metrics are served: the address of the option `--metrics`. Pure."""

from __future__ import annotations


def place_of(address: str) -> tuple[str, int]:
    """Return the host and the port of an address `HOST:PORT`; IPv6 stands in brackets.

    Raises:
        ValueError: It is no such address.
    """
    host, colon, port = address.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    is_bad_host = not bare or (":" in bare) != host.startswith("[")
    if not colon or is_bad_host or not port.isdecimal() or int(port) > 65_535:
        raise ValueError(f"expected HOST:PORT such as 127.0.0.1:9464, got {address!r}")
    return bare, int(port)
