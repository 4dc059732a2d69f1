"""The flag RUN of TASKs, taken off. Spec: docs/spec/03-routing.md, Runs 5. Pure."""

from __future__ import annotations

from typing import Final

from ..kernel.items import ITEM_BYTES, ITEMS_AT, TASK
from .heads import ItemFlag

_FLAGS_AT: Final = 1
_NOT_RUN: Final = 0xFF ^ int(ItemFlag.RUN)


def without_runs(head: bytes) -> bytes:
    """Return a head whose TASKs do not say that their caller reads runs; the same if none does.

    Args:
        head: Any first frame; an invalid one stays as it is.
    """
    if len(head) <= ITEMS_AT or head[ITEMS_AT] != TASK:
        return head
    changed = bytearray(head)
    items_end = min(len(head) - 1, ITEMS_AT + ITEM_BYTES * head[ITEMS_AT - 1])
    for at in range(ITEMS_AT, items_end, ITEM_BYTES):
        if changed[at] == TASK:
            changed[at + _FLAGS_AT] &= _NOT_RUN
    return bytes(changed)
