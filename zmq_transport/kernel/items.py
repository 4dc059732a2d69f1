"""Read and gather the items of directed messages, a whole message at a time. Pure.

Spec: docs/spec/01-wire.md, Head, Item, Bundles.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import Final

TASK: Final = 10
REPLY: Final = 11
MAX_ITEMS: Final = 64
MAX_GATHERED_ITEMS: Final = 63
"""Limit of the items of a bundle: one refused whole has room for the BOUNCE in front."""
MAX_GATHERED_BYTES: Final = 256 * 1024
"""Limit of the bodies of a bundle together."""

VERSION: Final = 1
ITEMS_AT: Final = 19
ITEM_BYTES: Final = 43
_COUNT_AT: Final = 18
_VERB_AT: Final = 19
_SPLIT: Final = (TASK, REPLY)
_START: Final = bytes((VERSION, 0))
_SINGLE_BYTES: Final = ITEMS_AT + ITEM_BYTES
_ITEM = Struct(">BBBI16s16sI")
_SINGLE = Struct(">BB16sBBBBI16s16sI")
_pack_item = _ITEM.pack
_pack_single = _SINGLE.pack
_unpack_item = _ITEM.unpack_from
_iter_unpack = _ITEM.iter_unpack

Fields = tuple[int, int, int, int, bytes, bytes, int]
"""verb, flags, kind, number, task, trace, size: as on the wire."""

Item = tuple[bytes, bytes, int, int, int, bytes]
"""task, trace, kind, number, flags, body: one task or one reply of a message."""


def read_target(head: bytes) -> tuple[int, bytes, bytes] | None:
    """Return the verb of the first item, the peer and the address of a head.

    Returns:
        None if it is no head of this version, or is too short for the items that it counts.
    """
    if len(head) < _SINGLE_BYTES or head[0] != VERSION:
        return None
    end = ITEMS_AT + ITEM_BYTES * head[_COUNT_AT]
    if not _VERB_AT < end <= len(head) or head[_COUNT_AT] > MAX_ITEMS:
        return None
    return head[_VERB_AT], head[2:_COUNT_AT], head[end:]


def unpack_items(head: bytes, verb: int) -> Sequence[Fields] | None:
    """Return the fields of every item of a head.

    Returns:
        None if the head is invalid, or one of its items has another verb.
    """
    if len(head) < _SINGLE_BYTES or head[0] != VERSION:
        return None
    count = head[_COUNT_AT]
    if count == 1:
        return (_unpack_item(head, ITEMS_AT),) if head[_VERB_AT] == verb else None
    end = ITEMS_AT + ITEM_BYTES * count
    if not 1 <= count <= MAX_ITEMS or len(head) < end:
        return None
    items = list(_iter_unpack(head[ITEMS_AT:end]))
    for item in items:
        if item[0] != verb:
            return None
    return items


def split_items(head: bytes, body: bytes) -> tuple[int, bytes, bytes, list[Item]] | None:
    """Return verb, peer, address and items of a message of TASKs only, or of REPLYs only.

    Returns:
        None for every other message, an invalid one included.
    """
    first = head[_VERB_AT] if len(head) >= _SINGLE_BYTES else 0
    fields = unpack_items(head, first) if first in _SPLIT else None
    if fields is None:
        return None
    items, at = [], 0
    for _, flags, kind, number, task, trace, size in fields:
        items.append((task, trace, kind, number, flags, body[at : at + size]))
        at += size
    if at != len(body):
        return None
    return first, head[2:_COUNT_AT], head[ITEMS_AT + ITEM_BYTES * len(items) :], items


class Outgoing:
    """The messages that one connection gathers, as bundles for their targets.

    Attributes:
        count: How many messages are gathered.
    """

    __slots__ = ("_full", "_open", "count")

    def __init__(self) -> None:
        self.count = 0
        # of a target: its packed items, their bodies, and the bytes of these in a list of one
        self._open: dict[tuple[int, bytes, bytes], tuple[list[bytes], list[bytes], list[int]]] = {}
        self._full: list[tuple[bytes, bytes]] = []

    def add(
        self,
        verb: int,
        flags: int,
        kind: int,
        number: int,
        task: bytes,
        trace: bytes,
        peer: bytes,
        address: bytes,
        body: bytes,
    ) -> None:
        """Gather one message behind the others for its target: the same verb, peer and address.

        Args:
            verb: As in the item, like the next three.
            flags: 0 to 255.
            kind: 0 to 255.
            number: 0 to 4,294,967,295.
            task: 16 bytes.
            trace: 16 bytes.
            peer: 16 bytes.
            address: May be empty.
            body: At most 16 KiB.
        """
        target, size = (verb, peer, address), len(body)
        gathered = self._open.get(target)
        if gathered is None:
            gathered = self._open[target] = [], [], [0]
        items, bodies, total = gathered
        if len(items) == MAX_GATHERED_ITEMS or total[0] + size > MAX_GATHERED_BYTES:
            self._full.append(_message(target, items, bodies))
            items.clear()
            bodies.clear()
            total[0] = 0
        items.append(_pack_item(verb, flags, kind, number, task, trace, size))
        bodies.append(body)
        total[0] += size
        self.count += 1

    def take(self) -> list[tuple[bytes, bytes]]:
        """Remove and return what is gathered, as (head, body): the full bundles first.

        The messages of a target keep their order; bundles that are not full come in the order in
        which their targets were first used.
        """
        messages = self._full
        for target, (items, bodies, _) in self._open.items():
            messages.append(_message(target, items, bodies))
        self._full, self._open, self.count = [], {}, 0
        return messages


def _message(
    target: tuple[int, bytes, bytes], items: list[bytes], bodies: list[bytes]
) -> tuple[bytes, bytes]:
    _, peer, address = target
    head = b"".join((_START, peer, bytes((len(items),)), *items, address))
    return head, bodies[0] if len(bodies) == 1 else b"".join(bodies)


def pack_single(
    verb: int,
    flags: int,
    kind: int,
    number: int,
    task: bytes,
    trace: bytes,
    peer: bytes,
    address: bytes,
    size: int,
) -> bytes:
    """Return a head with one item; the arguments are those of `Outgoing.add`, `size` of the body.

    Args:
        verb: As in the item, like the next three.
        flags: 0 to 255.
        kind: 0 to 255.
        number: 0 to 4,294,967,295.
        task: 16 bytes.
        trace: 16 bytes.
        peer: 16 bytes.
        address: May be empty.
        size: Length of the body in bytes, 0 to 4,294,967,295.
    """
    return _pack_single(VERSION, 0, peer, 1, verb, flags, kind, number, task, trace, size) + address
