"""The hot functions on the bytes of Signals.

Their specification is `signal_bytes`. Everyone imports their names from here.
"""

from __future__ import annotations

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
    "encode_value",
]
