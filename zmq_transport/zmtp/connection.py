"""One connection, from its first byte to its end, as a machine without a socket.

Spec: docs/spec/10-zmtp.md. Pure. The bytes of the peer go in, messages come out, and what is to be
sent besides the messages of the user stands in `answers`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Final

import attrs

from ..errors import ZmtpFault, shown
from .frame_reader import MAX_FRAMES, FrameReader, Message
from .frame_writer import encode_command
from .greeting import GREETING, GREETING_BYTES, check_greeting, check_ready, ready_properties

MAX_CONTEXT_BYTES: Final = 16
MAX_ANSWER_BYTES: Final = 2048
"""When so many wait to be sent, further PINGs get no answer."""
_TTL_BYTES: Final = 2


class ConnectionState(enum.IntEnum):
    """The state of a connection, in the order in which it goes through them."""

    GREETING = 0
    """The greeting of the peer is not whole yet."""
    READY = 1
    """Its READY is missing."""
    OPEN = 2
    """Messages flow."""
    CLOSED = 3
    """Over. What comes is ignored."""


@attrs.frozen
class Role:
    """One end of the directed plane.

    Args:
        socket_type: Its own `Socket-Type`.
        peer_type: That of its peer.
    """

    socket_type: bytes
    peer_type: bytes

    @property
    def opening(self) -> bytes:
        """What this end sends at once: greeting and READY."""
        return GREETING + encode_command(b"READY", ready_properties(self.socket_type))


CLIENT: Final = Role(b"DEALER", b"ROUTER")
PROXY: Final = Role(b"ROUTER", b"DEALER")


class Connection:
    """The state of one connection.

    Send `role.opening` first, and no message before it is open.

    Args:
        role: This end.
        max_bytes: Limit of the frames of a message together, in bytes.

    Attributes:
        state: Where it stands.
        answers: Bytes to send as soon as there is room; take them out. While 2 KiB wait, a PING
            gets none.
        fault: Why the peer must be cut off; None while it behaves. Its `reason` is for a counter.
        minor: The minor version of ZMTP that the peer speaks.
        was_open: True once the handshake is done, also after the end.
    """

    __slots__ = ("_greeting", "_reader", "_role", "answers", "fault", "minor", "state", "was_open")

    def __init__(self, role: Role, max_bytes: int) -> None:
        self._role = role
        self._reader = FrameReader(max_bytes)
        self._greeting = b""
        self.answers = b""
        self.fault: ZmtpFault | None = None
        self.minor = 0
        self.was_open = False
        self.state = ConnectionState.GREETING

    @property
    def waiting_bytes(self) -> int:
        """How many bytes are kept of a message or a greeting that is not whole yet."""
        return self._reader.waiting_bytes + len(self._greeting)

    def receive(self, data: bytes) -> list[Message]:
        """Return the messages that are whole now, each the tuple of its frames.

        When it leaves a `fault`, what is returned came in front of it.
        """
        reader = self._reader
        try:
            if self.state is not ConnectionState.OPEN:
                data = self._receive_opening(data)
            reader.read(data)
            while reader.commands:
                self._obey(reader.commands.pop())
                reader.read_on()
        except ZmtpFault as error:
            self._fail(error)
        messages = reader.messages
        if messages:
            reader.messages = []
        return messages

    def take_answers(self) -> bytes:
        """Return what is to be sent, once."""
        answers, self.answers = self.answers, b""
        return answers

    def close(self) -> None:
        """Take nothing any more."""
        self.state = ConnectionState.CLOSED
        self.answers = b""
        self._reader = FrameReader(0)

    def _receive_opening(self, data: bytes) -> bytes:
        """Read as far as READY; return what is behind it.

        Raises:
            ZmtpFault: The peer is none of ours.
        """
        if self.state is ConnectionState.CLOSED:
            return b""
        if self.state is ConnectionState.GREETING:
            seen = self._greeting + data
            minor = check_greeting(seen)
            if minor is None:
                self._greeting = seen
                return b""
            self.minor = minor
            self._greeting = b""
            self.state = ConnectionState.READY
            data = seen[GREETING_BYTES:]
        return data

    def _obey(self, command: bytes) -> None:
        """Obey a command.

        Raises:
            ZmtpFault: It is malformed or out of place, or refuses this end.
        """
        name_end = 1 + command[0] if command else 1
        if name_end > len(command):
            raise ZmtpFault("bad_command", "it sent a command without a name")
        name = command[1:name_end]
        obey = _COMMANDS[self.state].get(name)
        if obey is not None:
            obey(self, command[name_end:])
        elif self.state is ConnectionState.READY:
            text = f"it sent the command {shown(name)} before its READY"
            raise ZmtpFault("early_command", text)

    def _on_ready(self, data: bytes) -> None:
        check_ready(data, self._role.peer_type)
        self.state = ConnectionState.OPEN
        self.was_open = True
        self._reader.max_frames = MAX_FRAMES

    def _on_ping(self, data: bytes) -> None:
        if len(data) < _TTL_BYTES:
            raise ZmtpFault("bad_command", "it sent a PING without a TTL")
        if len(self.answers) < MAX_ANSWER_BYTES:
            context = data[_TTL_BYTES : _TTL_BYTES + MAX_CONTEXT_BYTES]
            self.answers += encode_command(b"PONG", context)

    def _on_error(self, data: bytes) -> None:
        raise ZmtpFault("refused", f"it refuses us, with {shown(data[1:])}")

    def _fail(self, error: ZmtpFault) -> None:
        self.close()
        self.fault = error


_COMMANDS: Final[Mapping[ConnectionState, Mapping[bytes, Callable[[Connection, bytes], None]]]] = {
    ConnectionState.GREETING: {},
    ConnectionState.READY: {b"READY": Connection._on_ready, b"ERROR": Connection._on_error},
    ConnectionState.OPEN: {b"PING": Connection._on_ping, b"ERROR": Connection._on_error},
    ConnectionState.CLOSED: {},
}
"""What a state does with a command. While it is open, one that is not here is ignored."""
