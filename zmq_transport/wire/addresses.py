"""Names and addresses as they stand on the wire. Spec: docs/spec/01-wire.md. Pure.

Part of the wire; other modules import them from `heads`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from ..errors import InvalidName, WireError

MAX_ADDRESS_BYTES: Final = 4096
MAX_CAPABILITIES: Final = 64
"""Limit of those in one address."""
_NAME = re.compile(r"[A-Za-z0-9._-]{1,128}")


def checked_name(what: str, value: object) -> str:
    """Return `value` if it is a name.

    Raises:
        InvalidName: It is not 1 to 128 characters out of `A-Z a-z 0-9 . _ -`.
    """
    if isinstance(value, str) and _NAME.fullmatch(value) and value not in {".", ".."}:
        return value
    raise InvalidName(what, value)


def address_of(name: str | None = None, capabilities: Iterable[str] = ()) -> bytes:
    """Return the address of a name, or of a set of `capabilities`.

    The grammar is `name` or `?capability,capability`; capabilities are sorted, so one set has one
    address.

    Raises:
        InvalidName: A part is not a valid name.
        ValueError: Neither is given, or there are over 64 capabilities, or over 4,096 bytes.
    """
    if name is not None:
        return checked_name("name", name).encode()
    wanted = sorted({checked_name("capability", c) for c in capabilities})
    if not wanted:
        raise ValueError("an address needs a name or at least one capability")
    if len(wanted) > MAX_CAPABILITIES:
        raise ValueError(
            f"an address has at most {MAX_CAPABILITIES} capabilities, not {len(wanted)}"
        )
    address = ("?" + ",".join(wanted)).encode()
    if len(address) > MAX_ADDRESS_BYTES:
        raise ValueError(f"an address has at most {MAX_ADDRESS_BYTES} bytes, not {len(address)}")
    return address


def read_address(address: bytes) -> tuple[str | None, frozenset[str]]:
    """Return (name, no capabilities) or (None, capabilities).

    Raises:
        WireError: The address is invalid.
    """
    if len(address) > MAX_ADDRESS_BYTES:
        raise WireError("bad_address", f"an address has at most {MAX_ADDRESS_BYTES} bytes")
    if address.count(b",") >= MAX_CAPABILITIES:
        raise WireError("bad_address", f"an address has at most {MAX_CAPABILITIES} capabilities")
    try:
        text = address.decode()
        if text.startswith("?"):
            wanted = text[1:].split(",")
            return None, frozenset(checked_name("capability", c) for c in wanted)
        return checked_name("name", text), frozenset()
    except (UnicodeDecodeError, InvalidName) as error:
        raise WireError("bad_address", str(error)) from error
