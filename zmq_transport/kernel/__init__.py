"""The hot functions on bytes, which both ends run for every message.

Each module here is plain Python and the specification of what it does. Import the names from this
package. Pure.
"""

from __future__ import annotations

from .frames import decode_frames, encode_message

__all__ = ["decode_frames", "encode_message"]
