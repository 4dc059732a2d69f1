"""The lines of a client by the names of the carriers. Spec: docs/spec/06-sockets.md."""

from __future__ import annotations

import functools
from collections.abc import Callable

from ..sockets.carriers import LIBZMQ, checked_carrier
from .carrier import MessageEvents
from .curve import Curve
from .libzmq_line import LibzmqLine
from .line import Line
from .zmtp_line import ZmtpLine

LineFactory = Callable[[MessageEvents, int], Line]
"""Events, `max_body_bytes` -> a line without a connection."""


def line_of(carrier: str, curve: Curve | None = None) -> LineFactory:
    """Return what makes a line of that carrier; with keys it is libzmq, which has CURVE.

    Raises:
        ValueError: There is no such carrier.
    """
    name = checked_carrier(carrier)
    if curve is not None:
        return functools.partial(LibzmqLine, curve=curve)
    return LibzmqLine if name == LIBZMQ else ZmtpLine
