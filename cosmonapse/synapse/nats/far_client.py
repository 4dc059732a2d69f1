"""One connection of a client as its router sees it. Spec: docs/spec/14-nats.md, "Routers". Pure.

What comes from it is untrusted: every call here may raise `WireError`, and nothing else.
"""

from __future__ import annotations

from typing import Any, Final

from zmq_transport.access.origin import Origin
from zmq_transport.proxy.settings import Settings
from zmq_transport.wire import heads
from zmq_transport.wire.heads import Verb

from . import subjects
from .credit import FLIGHT_BYTES, Credit
from .frames import Totals, pack_directed, pack_read
from .incoming import Incoming
from .pieces import Outgoing, order_key

ENVELOPE_BYTES: Final = 64 * 1024
"""Most bytes of a message besides its body."""
FORGOTTEN: Final = pack_read(Totals(2**64 - 1, 2**64 - 1))
"""Totals that cannot be: they tell a client that its router knows nothing of its connection, so
that it makes a new one."""
_PROBE = heads.pack(Verb.PING)


def is_probe(head: bytes) -> bool:
    """Return whether a directed message only finds out whether its receiver is there."""
    return head == _PROBE


class FarClient:
    """What a router holds of one connection.

    Args:
        number: Of this connection, never used before by this router.
        subject: Where its messages come.
        settings: The limits.
        most_bytes: The payload limit of nats-server.
        now_s: Monotonic clock.

    Raises:
        WireError: The subject is none of a client.

    Attributes:
        connection: The connection id, for the engine.
        origin: Where its messages come from, for the engine.
        seen_at_s: When its last message came.
        gone_at_s: Since when nobody reads there; None while somebody does.
        incoming: What it sends.
        is_absent: True after it was silent for so long that the engine was told.
        outgoing: What is to be sent to it and waits.
    """

    __slots__ = (
        "_most_bytes",
        "connection",
        "credit",
        "down",
        "gone_at_s",
        "heard",
        "incoming",
        "is_absent",
        "namespace",
        "number",
        "origin",
        "outgoing",
        "seen_at_s",
        "subject",
    )

    def __init__(
        self, number: int, subject: str, settings: Settings, most_bytes: int, now_s: float
    ) -> None:
        up = subjects.read_up(subject)
        self.number, self.subject = number, subject
        self.connection = number.to_bytes(8, "big")
        self.namespace = up.namespace
        self.down = subjects.down(up.namespace, up.user, up.connection)
        self.heard = subjects.heard(up.namespace, up.user, up.connection)
        # The address of its host is not known here: a bound for each connection stands in for it.
        self.origin = Origin(host=self.down, line=self.connection)
        most_waiting_bytes = max(1, settings.max_waiting_bytes)
        flight_bytes = min(FLIGHT_BYTES, most_waiting_bytes)
        self.credit = Credit(settings.high_water, most_waiting_bytes, flight_bytes)
        self._most_bytes = most_bytes
        self.outgoing = Outgoing(most_bytes)
        whole = settings.max_body_bytes + ENVELOPE_BYTES
        self.incoming = Incoming(whole, max(whole, settings.max_ahead_bytes))
        self.seen_at_s = now_s
        self.gone_at_s: float | None = None
        self.is_absent = False

    @property
    def partial_bytes(self) -> int:
        """The bytes of its messages that are not whole yet."""
        return self.incoming.partial_bytes

    @property
    def has_room(self) -> bool:
        """Return whether one more message may be sent, or wait."""
        return self.credit.has_room(len(self.outgoing), self.outgoing.waiting_bytes)

    def read(self, data: bytes) -> bytes | None:
        """Count a message of it; return it, or the one whose last piece it is, or None.

        Raises:
            WireError: It is none, or is over a limit.
        """
        return self.incoming.read(data)

    def put(self, head: bytes, body: Any) -> bytes | None:
        """Accept a directed message; return what is to be sent now, None if it waits its turn."""
        data = pack_directed(head, body)
        holds = self.credit.flight_room_bytes <= 0
        # Hot: most messages are small and find nothing waiting, and a key costs an unpacking.
        if not holds and not self.outgoing and len(data) <= self._most_bytes:
            return data
        return data if self.outgoing.put(order_key(head), data, holds=holds) else None

    def take(self, budget_bytes: int) -> list[bytes]:
        """Return what waited and may be sent now, about that much; nothing if it has to wait."""
        return self.outgoing.take(min(budget_bytes, self.credit.flight_room_bytes))
