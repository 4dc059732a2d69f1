"""The lines of a client by the names of the carriers. Spec: docs/spec/06-sockets.md."""

from __future__ import annotations

from collections.abc import Callable

from ..sockets.carriers import LIBZMQ, checked_carrier
from .carrier import MessageEvents
from .libzmq_line import LibzmqLine
from .line import Line
from .zmtp_line import ZmtpLine

LineFactory = Callable[[MessageEvents, int], Line]
"""Events, `max_body_bytes` -> a line without a connection."""


def line_of(carrier: str) -> LineFactory:
    """Return what makes a line of that carrier.

    Raises:
        ValueError: There is no such carrier.
    """
    return LibzmqLine if checked_carrier(carrier) == LIBZMQ else ZmtpLine
