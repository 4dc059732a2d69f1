"""Read and write the frames of ZMTP traffic, many at a time. Pure.

Spec: docs/spec/10-zmtp.md, Frames.
"""

from __future__ import annotations

from typing import Final

MORE: Final = 1
LONG: Final = 2
COMMAND: Final = 4
SHORT_MAX: Final = 255
"""Largest body of a frame with a size of one byte."""
MAX_COMMAND_BYTES: Final = 8 * 1024
"""Limit of the body of a command, READY included."""

_SHORT_FIRST: Final = tuple(bytes((MORE, size)) for size in range(SHORT_MAX + 1))
_SHORT_LAST: Final = tuple(bytes((0, size)) for size in range(SHORT_MAX + 1))
_LONG_FIRST: Final = bytes((MORE | LONG,))
_LONG_LAST: Final = bytes((LONG,))


def encode_message(head: bytes, body: bytes) -> bytes:
    """Return a message of two frames as it travels."""
    head_size, body_size = len(head), len(body)
    return b"".join(
        (
            _SHORT_FIRST[head_size]
            if head_size <= SHORT_MAX
            else _LONG_FIRST + head_size.to_bytes(8, "big"),
            head,
            _SHORT_LAST[body_size]
            if body_size <= SHORT_MAX
            else _LONG_LAST + body_size.to_bytes(8, "big"),
            body,
        )
    )


def decode_frames(
    data: bytes,
    start: int,
    frames: list[bytes],
    max_frames: int,
    max_bytes: int,
    messages: list[tuple[bytes, ...]],
    commands: list[bytes],
) -> int:
    """Take the whole, valid frames of `data` from `start` on; return where the first other begins.

    It never raises: a frame that is not whole, is over a limit or breaks the protocol is left where
    it is, with all that follows, for `zmtp.frame_reader` to judge. It returns behind a command,
    because what follows may depend on it.

    Args:
        data: Bytes of traffic.
        start: Where a frame begins.
        frames: The frames so far of the message that is not whole yet; changed in place.
        max_frames: Limit of the frames of a message; 0 takes commands only.
        max_bytes: Limit of the frames of a message together, in bytes.
        messages: Gets each whole message, as the tuple of its frames.
        commands: Gets the body of a command, of at most `MAX_COMMAND_BYTES`.
    """
    at, end = start, len(data)
    open_bytes = sum(map(len, frames))
    while end - at >= 2:
        flags = data[at]
        if flags & LONG:
            begin = at + 9
            if begin > end:
                break
            size = int.from_bytes(data[at + 1 : begin], "big")
        else:
            begin = at + 2
            size = data[at + 1]
        if size > end - begin:
            break
        if flags & COMMAND:
            if flags & MORE or size > MAX_COMMAND_BYTES:
                break
            commands.append(data[begin : begin + size])
            return begin + size
        if open_bytes + size > max_bytes or len(frames) + (flags & MORE) >= max_frames:
            break
        if flags & MORE:
            frames.append(data[begin : begin + size])
            open_bytes += size
        elif frames:
            messages.append((*frames, data[begin : begin + size]))
            frames.clear()
            open_bytes = 0
        else:
            messages.append((data[begin : begin + size],))
        at = begin + size
    return at
