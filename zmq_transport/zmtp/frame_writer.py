"""Write frames, commands, and messages with large bodies. Spec: docs/spec/10-zmtp.md, Frames. Pure.

A message with a small body is written by `kernel.encode_message`.
"""

from __future__ import annotations

from typing import Final

from ..kernel.frames import COMMAND, LONG, MORE, SHORT_MAX

JOIN_BELOW_BYTES: Final = 64 * 1024
"""A body of this size or more is written beside its head, not copied behind it."""


def frame_start(flags: int, size: int) -> bytes:
    """Return the flags and the size of a frame: what stands in front of its bytes."""
    if size <= SHORT_MAX:
        return bytes((flags, size))
    return bytes((flags | LONG,)) + size.to_bytes(8, "big")


def encode_frames(*frames: bytes) -> bytes:
    """Return a message of any number of frames, at least one, as it travels."""
    *first, last = frames
    starts = [(frame_start(MORE, len(each)), each) for each in first]
    return b"".join(
        piece for frame in [*starts, (frame_start(0, len(last)), last)] for piece in frame
    )


def message_start(head: bytes, body_bytes: int) -> bytes:
    """Return what stands in front of the body of a message of two frames."""
    return frame_start(MORE, len(head)) + head + frame_start(0, body_bytes)


def encode_command(name: bytes, data: bytes = b"") -> bytes:
    """Return a command as a frame."""
    body = bytes((len(name),)) + name + data
    return frame_start(COMMAND, len(body)) + body


PROBE: Final = encode_frames(b"")
"""The first message of a client (10-zmtp, Directed messages 1)."""
PING: Final = encode_command(b"PING", bytes(2))
"""Without a TTL of its own and without a context."""
