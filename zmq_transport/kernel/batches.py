"""Read and write the header and the bodies of broadcast messages, a whole batch at a time. Pure.

Spec: docs/spec/01-wire.md, Broadcast messages; docs/spec/05-broadcast.md, Batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import Final

_HEADER: Final = Struct(">16sQ16s16s")
_HEADER_BYTES: Final = _HEADER.size
_SIZE_BYTES: Final = 4
_MAX_BODIES: Final = 64
_SIZES: Final = tuple(Struct(f">{count}I") for count in range(_MAX_BODIES + 1))

Broadcast = tuple[bytes, int, bytes, bytes, list[bytes]]
"""publisher, sequence, caller, worker, bodies: of a message, or of several in a row."""


def read_broadcast(header: bytes, body: bytes) -> Broadcast | None:
    """Return the fields of a broadcast message, and its body or the bodies of a batch.

    Returns:
        None if the header has another length than that of one message or of 2 to 64, or if its
        sizes do not add up to the length of the body.
    """
    if len(header) == _HEADER_BYTES:
        publisher, sequence, caller, worker = _HEADER.unpack(header)
        return publisher, sequence, caller, worker, [body]
    count, rest = divmod(len(header) - _HEADER_BYTES, _SIZE_BYTES)
    if rest or not 2 <= count <= _MAX_BODIES:
        return None
    publisher, sequence, caller, worker = _HEADER.unpack_from(header)
    bodies, begin = [], 0
    for size in _SIZES[count].unpack_from(header, _HEADER_BYTES):
        end = begin + size
        bodies.append(body[begin:end])
        begin = end
    if begin != len(body):
        return None
    return publisher, sequence, caller, worker, bodies


def pack_broadcast(
    publisher: bytes, sequence: int, caller: bytes, worker: bytes, bodies: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """Return the header and the body of a broadcast message, or of a batch of 2 to 64.

    Args:
        publisher: Its publisher, 16 bytes.
        sequence: The sequence number of the first.
        caller: Instance id of the caller, 16 bytes.
        worker: Instance id of the worker, 16 bytes.
        bodies: 1 to 64 bodies.
    """
    header = _HEADER.pack(publisher, sequence, caller, worker)
    if len(bodies) == 1:
        return header, bodies[0]
    sizes = [len(body) for body in bodies]
    return header + _SIZES[len(sizes)].pack(*sizes), b"".join(bodies)
