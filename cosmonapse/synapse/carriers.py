"""Which carrier moves the directed messages: `zmtp` or `libzmq`. Spec: docs/spec/06-sockets.md."""

from __future__ import annotations

from typing import Final

from zmq_transport import CARRIERS, DEFAULT_CARRIER

from ..configuration import chosen
from ..errors import InvalidCarrier

__all__ = ["CARRIERS", "DEFAULT_CARRIER", "ZMTP", "chosen_carrier"]

ZMTP: Final = "zmtp"
"""The carrier that does not encrypt."""


def chosen_carrier(carrier: str | None = None) -> str:
    """Return the name of the carrier to use.

    Args:
        carrier: The choice of the program; by default the variable COSMO_CARRIER, else the default.

    Raises:
        InvalidCarrier: There is no such carrier.
    """
    setting = chosen("carrier", carrier)
    named: str = DEFAULT_CARRIER if setting.value is None else setting.value
    if named not in CARRIERS:
        raise InvalidCarrier(named, setting.source.name)
    return named
