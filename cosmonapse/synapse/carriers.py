"""Which carrier moves the directed messages: `zmtp` or `libzmq`. Spec: docs/spec/06-sockets.md."""

from __future__ import annotations

from typing import Final

from zmq_transport import CARRIERS, DEFAULT_CARRIER

from ..errors import InvalidCarrier
from ..runtime.environment import CARRIER_VARIABLE, value_of

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
    if carrier is not None:
        return _checked(carrier, "")
    named = value_of(CARRIER_VARIABLE)
    return DEFAULT_CARRIER if named is None else _checked(named, CARRIER_VARIABLE)


def _checked(carrier: str, variable: str) -> str:
    if carrier not in CARRIERS:
        raise InvalidCarrier(carrier, variable)
    return carrier
