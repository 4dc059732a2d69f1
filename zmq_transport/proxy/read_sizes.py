"""How much to read from one connection in one turn of the loop. Pure.

Spec: docs/spec/06-sockets.md, "Plain sockets" 2. What is read is decided on before anybody else
has a turn. A message may be two bytes long, and costs as much as a large one. So a stranger earns
the larger reads: by a HELLO, then by reads that were full of messages of a usual size.
"""

from __future__ import annotations

from typing import Final

STRANGER_BYTES: Final = 512
"""Room for a greeting and a HELLO, and for 256 messages at most."""
CLIENT_BYTES: Final = 16 * 1024
LARGE_BYTES: Final = 64 * 1024
"""The system maps and unmaps memory for each larger read: 20 us."""
TINY_BYTES: Final = 2048
"""For a client that sent very many messages in one read; it keeps this size."""
MANY: Final = 512


def next_read_bytes(now: int, read: int, messages: int, is_client: bool) -> int:
    """Return the size of the next read of a connection.

    Args:
        now: The size of the last one.
        read: How many bytes it had.
        messages: How many messages were whole with it.
        is_client: True when a HELLO was accepted.
    """
    if messages > MANY:
        return TINY_BYTES
    if read < now or not is_client or now == TINY_BYTES:
        return now
    return CLIENT_BYTES if now == STRANGER_BYTES else LARGE_BYTES
