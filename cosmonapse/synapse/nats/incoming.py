"""What one end reads of another: counted, and put together. Spec: docs/spec/14-nats.md. Pure."""

from __future__ import annotations

from typing import Final

from zmq_transport.errors import WireError

from .credit import Receipt
from .frames import COUNTED, Tag, Totals, tag_of
from .pieces import Joiner

_WHOLE: Final = frozenset({int(Tag.DIRECTED), int(Tag.PUBLICATION)})


class Incoming:
    """The messages of one sender.

    Args:
        most_bytes: Limit of one message.
        most_partial_bytes: Limit of all that are not whole yet.
    """

    __slots__ = ("_joiner", "_receipt")

    def __init__(self, most_bytes: int, most_partial_bytes: int) -> None:
        self._joiner = Joiner(most_bytes, most_partial_bytes)
        self._receipt = Receipt()

    @property
    def totals(self) -> Totals:
        """What was read of the tags that need credit."""
        return self._receipt.totals

    @property
    def partial_bytes(self) -> int:
        """The bytes of messages that are not whole yet."""
        return self._joiner.partial_bytes

    def read(self, data: bytes) -> bytes | None:
        """Count a message; return it, or the one whose last piece it is, or None.

        Raises:
            WireError: A piece of nothing that comes in pieces, or over a limit.
        """
        tag = tag_of(data)
        if tag in COUNTED:
            self._receipt.took(len(data))
        if tag != Tag.PIECE:
            return data
        whole = self._joiner.take(data)
        if whole is not None and tag_of(whole) not in _WHOLE:
            raise WireError("bad_frame", f"tag {tag_of(whole)} does not come in pieces")
        return whole
