"""One connection of the router that speaks ZMTP itself: a socket, its ZMTP, what waits for it.

Spec: docs/spec/10-zmtp.md. Hot: one read and one write a message, and no change of what is polled
for unless the kernel takes less than it was given. Slots: there is one for each client.
"""

from __future__ import annotations

import contextlib
import socket as network
from collections.abc import Callable
from typing import Any

from ..access.origin import UNKNOWN
from ..kernel import encode_message
from ..zmtp.connection import PROXY, Connection
from ..zmtp.frame_reader import Message
from ..zmtp.frame_writer import JOIN_BELOW_BYTES, message_start
from ..zmtp.send_queue import SendQueue, SharedBytes
from .read_sizes import LARGE_BYTES, STRANGER_BYTES
from .unanswered import Unanswered

_ENVELOPE_BYTES = 18
"""Flags and sizes of two frames."""
_LAST_READS = 16

OnReady = Callable[["PeerConnection", float, int, bool], None]
"""(connection, monotonic clock, `READ` or `WRITE` or both, whether nothing else is ready)"""


class PeerConnection:
    """The socket of a peer.

    Args:
        name: Its connection id.
        socket: Connected and non-blocking.
        max_bytes: Limit of the frames of a message together, in bytes.
        queue: What the kernel did not take yet.
        held: Where the bytes of a message that is not whole are charged.
        on_ready: Is called by `on_ready`.

    Attributes:
        origin: Where it comes from.
        zmtp: The state of the protocol.
        has_greeted: True once its handshake was counted as done.
        has_ended: True once all that the peer sent was read, and no more comes.
        is_mute: True once nothing can be written; what the peer sent before is still read.
        is_unheard: True from a write to the next bytes of the peer.
        is_stuck: True while it is watched for room to write on.
        was_refused: True from a message that found no room to the next report of room.
        max_read: How many bytes are read at once, see `read_sizes`.
        read_bytes: How many bytes the last read had.
        held_bytes: What is charged to `held`.
        unanswered: See `unanswered`.
    """

    __slots__ = (
        "_on_ready",
        "_recv",
        "_send",
        "descriptor",
        "has_ended",
        "has_greeted",
        "held",
        "held_bytes",
        "is_mute",
        "is_stuck",
        "is_unheard",
        "max_read",
        "name",
        "origin",
        "queue",
        "read_bytes",
        "socket",
        "unanswered",
        "was_refused",
        "zmtp",
    )

    def __init__(
        self,
        name: bytes,
        socket: network.socket,
        max_bytes: int,
        queue: SendQueue,
        held: SharedBytes,
        on_ready: OnReady,
    ) -> None:
        self.name = name
        self.socket = socket
        self.origin = UNKNOWN
        self.descriptor = socket.fileno()
        self.zmtp = Connection(PROXY, max_bytes)
        self.queue = queue
        self.held = held
        self.has_greeted = self.has_ended = False
        self.is_mute = self.is_stuck = self.is_unheard = self.was_refused = False
        self.max_read = STRANGER_BYTES
        self.read_bytes = self.held_bytes = 0
        self.unanswered: Unanswered | None = None
        self._recv = socket.recv
        self._send = socket.send
        self._on_ready = on_ready

    def on_ready(self, now_s: float, events: int, alone: bool) -> None:
        """See `poller.OnReady`."""
        self._on_ready(self, now_s, events, alone)

    def receive(self) -> list[Message]:
        """Read once; return the messages that are whole now."""
        try:
            data = self._recv(self.max_read)
        except BlockingIOError:
            self.read_bytes = 0
            return []
        except OSError:
            data = b""
        self.read_bytes = len(data)
        if not data:
            self.has_ended = self.is_mute = True
            return []
        self.is_unheard = False
        return self.zmtp.receive(data)

    def send(self, head: bytes, body: Any) -> str:
        """Send a message or nothing; return the bound that it is over, see `SendQueue.refuses`."""
        size = len(body)
        if self.queue.bytes or size >= JOIN_BELOW_BYTES:
            return self._send_or_queue(head, body, size)
        self.write(encode_message(head, body))
        return ""

    def _send_or_queue(self, head: bytes, body: Any, size: int) -> str:
        over = self.queue.refuses(_ENVELOPE_BYTES + len(head) + size)
        if over:
            return over
        if size < JOIN_BELOW_BYTES:
            self.queue.add(encode_message(head, body))
            return ""
        self.queue.add(message_start(head, size))
        self.queue.add(body)
        if len(self.queue) == 2:  # nothing waited, so the kernel may take some
            self.write_on()
        return ""

    def write(self, data: bytes) -> None:
        """Write to a connection with an empty queue; queue what the kernel does not take."""
        try:
            sent = self._send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.is_mute = True
            return
        if sent != len(data):
            self.queue.add(memoryview(data)[sent:] if sent else data)

    def write_on(self) -> int:
        """Write what waits, as far as the kernel takes it; return how many bytes it took."""
        try:
            sent = self.socket.sendmsg(self.queue.first())
        except BlockingIOError:
            return 0
        except OSError:
            self.is_mute = True
            self.queue.clear()
            return 0
        self.queue.drop(sent)
        return sent

    def answer(self) -> None:
        """Answer the PINGs of the peer, unless something waits: that shows life as well."""
        if not self.queue.bytes:
            self.write(self.zmtp.take_answers())

    def charge(self) -> None:
        """Charge what is held of a message that is not whole yet."""
        held_bytes = self.zmtp.waiting_bytes
        self.held.used += held_bytes - self.held_bytes
        self.held_bytes = held_bytes

    def charge_to(self, held: SharedBytes) -> None:
        """Charge it to another bound."""
        self.held.used -= self.held_bytes
        held.used += self.held_bytes
        self.held = held

    def close(self) -> None:
        """Close the socket; nothing is charged any more."""
        self.zmtp.close()
        self.has_ended = self.is_mute = True
        self.queue.clear()
        self.held.used -= self.held_bytes
        self.held_bytes = 0
        self.socket.close()

    def part(self) -> None:
        """Close the socket so that what the kernel has taken is delivered.

        Bytes that were not read would make the kernel reset the connection.
        """
        with contextlib.suppress(OSError):
            if self.queue.bytes:
                self.write_on()
            self.socket.shutdown(network.SHUT_WR)
            for _ in range(_LAST_READS):
                if not self._recv(LARGE_BYTES):
                    break
        self.close()
