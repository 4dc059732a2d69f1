"""The hot functions on bytes, which both ends run for every message.

Each module here is plain Python and the specification of what it does. `_compiled` has the same
functions in C, where a C compiler was found at install; they run unless `COSMO_PURE=1` is set.
Everyone imports the names from this package, and gets all of them from the same side.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..kernel_sources import is_stale
from .batches import pack_broadcast, read_broadcast
from .entries import MAX_TTL_MS, Entry, enter_tasks, settle_replies
from .frames import decode_frames, encode_message
from .items import Outgoing, pack_single, read_target, split_items

__all__ = [
    "COMPILED",
    "MAX_TTL_MS",
    "STALE",
    "Entry",
    "Outgoing",
    "decode_frames",
    "encode_message",
    "enter_tasks",
    "pack_broadcast",
    "pack_single",
    "read_broadcast",
    "read_target",
    "settle_replies",
    "split_items",
]

COMPILED = False
"""Whether these are the functions in C."""
_IS_PURE = os.environ.get("COSMO_PURE") == "1"
STALE = not _IS_PURE and is_stale(__name__, __path__[0])
"""Whether there are functions in C, but of other sources than those beside."""

if not TYPE_CHECKING and not _IS_PURE and not STALE:
    try:
        from ._compiled import (
            Entry,
            Outgoing,
            decode_frames,
            encode_message,
            enter_tasks,
            pack_broadcast,
            pack_single,
            read_broadcast,
            read_target,
            settle_replies,
            split_items,
        )
    except ImportError:
        pass  # there is none
    else:
        COMPILED = True
