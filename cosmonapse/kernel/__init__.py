"""The hot functions on the bytes of Signals, the table of deadlines, and the counts of tasks.

Each module here is plain Python and the specification of what it does. `_compiled` has the same
functions in C, where a C compiler was found at install; they run unless `COSMO_PURE=1` is set.
Everyone imports the names from this package, and gets all of them from the same side.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from zmq_transport.kernel_sources import is_stale

from .deadlines import SLOT_S, Deadlines
from .runs import (
    MAX_RUN_BYTES,
    MAX_RUN_TEXTS,
    encode_thoughts,
    heard_signals,
    run_signals,
    run_texts,
    thought,
    thought_text,
)
from .signal_bytes import (
    decode_signal,
    encode_directed,
    encode_reply,
    encode_signal,
    encode_task,
    encode_value,
)
from .task_ends import SECONDS, Ends, Histogram, TaskEnds

__all__ = [
    "COMPILED",
    "MAX_RUN_BYTES",
    "MAX_RUN_TEXTS",
    "SECONDS",
    "SLOT_S",
    "STALE",
    "Deadlines",
    "Ends",
    "Histogram",
    "TaskEnds",
    "decode_signal",
    "encode_directed",
    "encode_reply",
    "encode_signal",
    "encode_task",
    "encode_thoughts",
    "encode_value",
    "heard_signals",
    "run_signals",
    "run_texts",
    "thought",
    "thought_text",
]

COMPILED = False
"""Whether these are the functions in C."""
_IS_PURE = os.environ.get("COSMO_PURE") == "1"
STALE = not _IS_PURE and is_stale(__name__, __path__[0])
"""Whether there are functions in C, but of other sources than those beside."""

if not TYPE_CHECKING and not _IS_PURE and not STALE:
    try:
        from ._compiled import (
            Deadlines,
            Ends,
            Histogram,
            TaskEnds,
            decode_signal,
            encode_directed,
            encode_reply,
            encode_signal,
            encode_task,
            encode_thoughts,
            encode_value,
            heard_signals,
            run_signals,
            run_texts,
            thought,
            thought_text,
        )
    except ImportError:
        pass  # there is none
    else:
        COMPILED = True
