"""The two carriers of the directed plane, by name. Pure.

Spec: docs/spec/06-sockets.md. Both speak ZMTP 3.1 and get along with each other.
"""

from __future__ import annotations

from typing import Final

from ..errors import shown

ZMTP: Final = "zmtp"
"""Our own ZMTP on plain sockets, in the loop of the program."""
LIBZMQ: Final = "libzmq"
"""A ROUTER and DEALERs of libzmq, in threads of its own."""
CARRIERS: Final = (ZMTP, LIBZMQ)
DEFAULT_CARRIER: Final = ZMTP


def checked_carrier(name: str) -> str:
    """Return `name` if it is that of a carrier.

    Raises:
        ValueError: There is no such carrier; the text names the two.
    """
    if name not in CARRIERS:
        raise ValueError(f"the carrier is 'zmtp' or 'libzmq', not {shown(name)}")
    return name
