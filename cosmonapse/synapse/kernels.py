"""Tells which kernels run in this process and in those that it starts: in C, or plain Python."""

from __future__ import annotations

import os

import zmq_transport.kernel

from .. import kernel

STALE_TEXT = "pure Python (the compiled kernel is of other sources)"


def kernel_text() -> str:
    """Return `compiled`, or `pure Python` with the reason."""
    if os.environ.get("COSMO_PURE") == "1":
        return "pure Python (COSMO_PURE=1)"
    if kernel.STALE or zmq_transport.kernel.STALE:
        return STALE_TEXT
    if kernel.COMPILED and zmq_transport.kernel.COMPILED:
        return "compiled"
    if kernel.COMPILED or zmq_transport.kernel.COMPILED:
        return "one half compiled, one half pure Python (install anew)"
    return "pure Python (no C compiler was found at install)"
