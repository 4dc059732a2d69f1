"""Decide which connection of libzmq is to be cut, by what is seen of it over time. Pure.

Spec: docs/spec/06-sockets.md, "Who is cut". libzmq bounds the messages that wait, not the bytes,
and lets connections stay that never greet. The caller passes `now_s` from its monotonic clock.
"""

from __future__ import annotations

from typing import Final

import attrs

NOT_GREETED: Final = "not_greeted"
NO_HELLO: Final = "no_hello"
AHEAD: Final = "ahead"
UNREAD: Final = "unread"

UNREAD_S: Final = 4.0
UNREAD_BYTES: Final = 32 * 1024
"""What a client takes at least in that time of what waits for it, unless all of it is less."""
BEHIND_S: Final = 60.0
"""How long a listener may be behind without a break: what waits for it has no other bound."""
STRANGER_AHEAD_BYTES: Final = 32 * 1024 * 1024
HEARTBEAT_BYTES_PER_S: Final = 256
"""Bytes that no message of ours accounts for: PINGs, their answers, and what CURVE adds."""
MESSAGE_OVERHEAD_BYTES: Final = 128
"""At most what ZMTP and CURVE add to a message of three frames."""
GREETING_BYTES: Final = 64
"""What libzmq writes at least to a peer of ZMTP 3; to one of an older ZMTP 14 at most."""
AHEAD_S: Final = 0.3
"""How long a client may be ahead: the loop may have stood still for a moment."""
_LIBZMQ_FIRST_S: Final = 0.5


@attrs.frozen
class WatchBounds:
    """What a connection of one socket may do.

    Args:
        handshake_s: Seconds until it has greeted.
        hello_s: Seconds until its HELLO is accepted; None where no HELLO is said.
        ahead_bytes: How many bytes a client may be ahead of what was read of it.
        stranger_ahead_bytes: The same for one without a HELLO.
        unread_s: Seconds that bytes may wait for one that takes hardly any.
        behind_s: Seconds that it may be behind without a break; None where what waits is bounded.
        waiting_bytes: How many bytes of large messages may wait for it.
    """

    handshake_s: float
    hello_s: float | None
    ahead_bytes: int
    stranger_ahead_bytes: int
    unread_s: float
    behind_s: float | None
    waiting_bytes: int


class Watched:
    """What was seen of one connection. Slots: there is one for each.

    Args:
        now_s: The monotonic clock when it was accepted.

    Attributes:
        has_greeted: True once it is known to speak ZMTP 3.
        is_client: True once it has said HELLO; always, where no HELLO is said.
        read_bytes: The bytes of the messages that were read of it, `MESSAGE_OVERHEAD_BYTES` for
            each included; whoever reads them counts.
        given_bytes: The bytes of the large messages that libzmq was given for it; whoever sends
            them counts.
    """

    __slots__ = (
        "_accepted_at_s",
        "_acked_bytes",
        "_ahead_at_s",
        "_behind_at_s",
        "_level_at_s",
        "_queued_bytes",
        "_stranger_at_s",
        "_stuck_at_s",
        "_taken_bytes",
        "given_bytes",
        "has_greeted",
        "is_client",
        "read_bytes",
    )

    def __init__(self, now_s: float) -> None:
        self._accepted_at_s = self._level_at_s = now_s
        self._stranger_at_s = now_s
        self._stuck_at_s = self._behind_at_s = -1.0
        self._ahead_at_s = -1.0
        self._acked_bytes = self._queued_bytes = 0
        self.has_greeted = self.is_client = False
        self.read_bytes = self.given_bytes = self._taken_bytes = 0

    def judge_time(self, limits: WatchBounds, now_s: float) -> str:
        """Return `NO_HELLO` if it has not said HELLO in time; empty if it may stay."""
        if self.is_client or limits.hello_s is None:
            self._stranger_at_s = now_s
            return ""
        return NO_HELLO if now_s - self._stranger_at_s >= limits.hello_s else ""

    def judge_written(self, written_bytes: int, limits: WatchBounds, now_s: float) -> str:
        """Return `NOT_GREETED` if it has not greeted in time; empty if it may stay.

        Args:
            written_bytes: What the kernel was given for it, taken or not.
            limits: What it may do.
            now_s: Monotonic clock.
        """
        if written_bytes >= GREETING_BYTES:
            self.has_greeted = True
            return ""
        # libzmq has the same limit for a handshake that does not end, and counts otherwise. It lets
        # stay who speaks a ZMTP without a handshake; a request of HTTP is one.
        late_at_s = self._accepted_at_s + limits.handshake_s + _LIBZMQ_FIRST_S
        return NOT_GREETED if now_s >= late_at_s else ""

    def judge_received(self, received_bytes: int, limits: WatchBounds, now_s: float) -> str:
        """Return `AHEAD` if too much has come that was not read; empty if it may stay.

        Args:
            received_bytes: All that the kernel has received of it.
            limits: What it may do.
            now_s: Monotonic clock.
        """
        unaccounted = HEARTBEAT_BYTES_PER_S * (now_s - self._level_at_s)
        ahead = received_bytes - self.read_bytes - unaccounted
        if ahead <= 0:
            # Nothing is owed either way: what was counted too much may not hide what comes.
            self.read_bytes, self._level_at_s, self._ahead_at_s = received_bytes, now_s, -1.0
            return ""
        is_known = self.is_client or limits.hello_s is None
        if ahead <= (limits.ahead_bytes if is_known else limits.stranger_ahead_bytes):
            self._ahead_at_s = -1.0
            return ""
        if self._ahead_at_s < 0:
            self._ahead_at_s = now_s
        return AHEAD if not is_known or now_s - self._ahead_at_s >= AHEAD_S else ""

    def has_room(self, size: int, limits: WatchBounds) -> bool:
        """Tell whether a large message may wait for it as well; the first may have any size."""
        waiting = self.given_bytes - self._taken_bytes
        return waiting <= 0 or waiting + size <= limits.waiting_bytes

    def note_taken(self, queued_bytes: int, acked_bytes: int) -> None:
        """Record what the kernel says of all that was given; see `judge_queued`."""
        self._taken_bytes = acked_bytes
        # What the kernel has taken includes what is not counted: small messages, and what the wire
        # adds. So the count starts anew whenever nothing waits.
        if not queued_bytes or self.given_bytes < acked_bytes:
            self.given_bytes = acked_bytes

    @property
    def is_suspect(self) -> bool:
        """Tell whether it is to be looked at again soon."""
        return self._ahead_at_s >= 0

    def judge_queued(
        self, queued_bytes: int, acked_bytes: int | None, limits: WatchBounds, now_s: float
    ) -> str:
        """Return `UNREAD` if bytes wait and it takes hardly any; empty if it may stay.

        Args:
            queued_bytes: What the kernel holds that it did not take.
            acked_bytes: What it has taken since its beginning; None where that is unknown.
            limits: What it may do.
            now_s: Monotonic clock.
        """
        if not queued_bytes:
            self._stuck_at_s = -1.0
            return ""
        if self._stuck_at_s < 0 or self._has_taken(queued_bytes, acked_bytes):
            self._stuck_at_s = now_s
            self._queued_bytes, self._acked_bytes = queued_bytes, acked_bytes or 0
            return ""
        return UNREAD if now_s - self._stuck_at_s >= limits.unread_s else ""

    def judge_unsent(self, unsent_bytes: int, limits: WatchBounds, now_s: float) -> str:
        """Return `UNREAD` if it has been behind for too long; empty if it may stay.

        Args:
            unsent_bytes: What the kernel holds and could not send yet, as the far end has no room.
                What is on its way does not count: to a far host something always is.
            limits: What it may do.
            now_s: Monotonic clock.
        """
        if not unsent_bytes or limits.behind_s is None:
            self._behind_at_s = -1.0
            return ""
        if self._behind_at_s < 0:
            self._behind_at_s = now_s
        return UNREAD if now_s - self._behind_at_s >= limits.behind_s else ""

    def _has_taken(self, queued_bytes: int, acked_bytes: int | None) -> bool:
        # Of little that waits all is enough: a far host acknowledges one small message after
        # another, and something waits at every look.
        if acked_bytes is None:
            return queued_bytes != self._queued_bytes
        return acked_bytes - self._acked_bytes >= min(self._queued_bytes, UNREAD_BYTES)
