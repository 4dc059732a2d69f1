"""The hot functions on the bytes of Signals.

Their specification is in `signal_bytes` and `runs`. Everyone imports their names from here.
"""

from __future__ import annotations

from .runs import encode_thoughts, heard_signals, run_signals, run_texts, thought_text
from .signal_bytes import (
    decode_signal,
    encode_directed,
    encode_reply,
    encode_signal,
    encode_task,
    encode_value,
)

__all__ = [
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
    "thought_text",
]
