"""Read the frames of a connection, however its bytes were cut.

Spec: docs/spec/10-zmtp.md, Frames. Pure. `kernel.decode_frames` takes what is whole; what it leaves
is judged here: not whole yet, over a limit, or malformed. Nothing is allocated for a frame before
its bytes have come.
"""

from __future__ import annotations

from typing import Final

from ..errors import ZmtpFault
from ..kernel import decode_frames
from ..kernel.frames import COMMAND, LONG, MAX_COMMAND_BYTES, MORE

MAX_FRAMES: Final = 8
_SMALL_BYTES: Final = 4096
_SHORT_START: Final = 2
_LONG_START: Final = 9

Message = tuple[bytes, ...]


class FrameReader:
    """The bytes of one connection after its greeting.

    Args:
        max_bytes: Limit of the frames of a message together, in bytes.

    Attributes:
        max_frames: Limit of the frames of a message; 0 while a message may not come yet.
        messages: The whole messages so far, each the tuple of its frames; take them out.
        commands: The body of a command, or nothing. Take it out, then `read_on`: what follows may
            depend on it.
    """

    __slots__ = (
        "_flags",
        "_frames",
        "_have",
        "_left",
        "_max_bytes",
        "_pieces",
        "_rest",
        "_size",
        "commands",
        "max_frames",
        "messages",
    )

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._frames: list[bytes] = []
        self._rest = b""  # the start of a frame, cut off
        self._pieces: list[bytes | bytearray] = []  # the body of a frame, cut off
        self._flags = self._size = self._have = 0
        self._left = (b"", 0)  # what follows a command, from where on
        self.max_frames = 0
        self.messages: list[Message] = []
        self.commands: list[bytes] = []

    @property
    def waiting_bytes(self) -> int:
        """How many bytes are kept of a message that is not whole yet."""
        return sum(map(len, self._frames)) + self._have + len(self._rest)

    def read(self, data: bytes, start: int = 0) -> None:
        """Read the next bytes, up to a command; what is whole is added to the two lists.

        Hot: for whole frames it is one call of `decode_frames`.

        Args:
            data: The bytes.
            start: Where they begin.

        Raises:
            ZmtpFault: They break the protocol or a limit; what came before them was added.
        """
        if self._rest or self._pieces:
            data, start = self._joined(data)
        if not self.commands:
            start = decode_frames(
                data,
                start,
                self._frames,
                self.max_frames,
                self._max_bytes,
                self.messages,
                self.commands,
            )
        if self.commands:
            self._left = data, start
        elif start != len(data):
            self._keep(data, start)

    def read_on(self) -> None:
        """Read what follows the command that was taken out.

        Raises:
            ZmtpFault: As for `read`.
        """
        left, self._left = self._left, (b"", 0)
        self.read(*left)

    def _joined(self, data: bytes) -> tuple[bytes, int]:
        """Join the next bytes with the frame that was cut off; return what is to be read."""
        if self._rest:
            joined = self._rest + data
            self._rest = b""
            return joined, 0
        missing = self._size - self._have
        if len(data) < missing:
            self._add_piece(data)
            return b"", 0
        self._add_piece(data[:missing] if missing < len(data) else data)
        self._take(b"".join(self._pieces))
        self._pieces.clear()
        self._have = 0
        return data, missing

    def _keep(self, data: bytes, at: int) -> None:
        """Keep a frame that is cut off, unless it breaks a rule already.

        Raises:
            ZmtpFault: It breaks the protocol or a limit.
        """
        begin = at + (_LONG_START if data[at] & LONG else _SHORT_START)
        if begin > len(data):
            self._rest = data[at:]
            return
        self._size = int.from_bytes(data[at + 1 : begin], "big")
        self._flags = data[at]
        self._check()
        self._add_piece(data[begin:])

    def _check(self) -> None:
        """Check a frame before its bytes are read (10-zmtp, Frames 4).

        Raises:
            ZmtpFault: It breaks the protocol or a limit.
        """
        flags, size, count = self._flags, self._size, len(self._frames)
        if flags & COMMAND:
            if flags & MORE:
                raise ZmtpFault("bad_command", "it sent a command that is said to go on")
            if size > MAX_COMMAND_BYTES:
                text = f"it sent a command of {size:,} bytes, the limit is {MAX_COMMAND_BYTES:,}"
                raise ZmtpFault("command_size", text)
            return
        if not self.max_frames:
            raise ZmtpFault("early_message", "it sent a message before its READY")
        if count + (flags & MORE) >= self.max_frames:
            text = f"it sent a message of more than {self.max_frames} frames"
            raise ZmtpFault("frames_of_message", text)
        size += sum(map(len, self._frames))
        if size > self._max_bytes:
            text = f"it sent a message of {size:,} bytes or more, the limit is {self._max_bytes:,}"
            raise ZmtpFault("frame_size", text)

    def _add_piece(self, data: bytes) -> None:
        # Small pieces share one buffer: an object for each would cost many times its bytes.
        self._have += len(data)
        if len(data) >= _SMALL_BYTES:
            self._pieces.append(data)
        elif self._pieces and isinstance(self._pieces[-1], bytearray):
            self._pieces[-1] += data
        else:
            self._pieces.append(bytearray(data))

    def _take(self, body: bytes) -> None:
        if self._flags & COMMAND:
            self.commands.append(body)
        elif self._flags & MORE:
            self._frames.append(body)
        else:
            self.messages.append((*self._frames, body))
            self._frames.clear()
