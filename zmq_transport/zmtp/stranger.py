"""Who is there, from the opening of a ZMTP connection: bytes in, a text out.

Spec: docs/spec/10-zmtp.md, "Greeting". Source: ZMTP 3.1, https://rfc.zeromq.org/spec/37. Pure.
ZeroMQ itself reports a far end of another kind as a failed handshake and nothing more.
"""

from __future__ import annotations

from typing import Final

from .greeting import GREETING_BYTES, MECHANISM, SIGNATURE

_NAMED: Final = slice(12, 32)
MOST_BYTES: Final = 1024
_READY: Final = b"\x05READY"
_SOCKET_TYPE: Final = b"Socket-Type"
_SHOWN_BYTES: Final = 24


def has_mechanism(seen: bytes) -> bool:
    """Tell whether `seen`, all that the far end sent so far, names a mechanism, or never will."""
    return len(seen) >= GREETING_BYTES or not SIGNATURE.startswith(seen[:1])


def mechanism(seen: bytes) -> bytes:
    """Return the security mechanism that the far end names; empty if it has not, or never will."""
    is_zmtp = len(seen) >= GREETING_BYTES and SIGNATURE.startswith(seen[:1])
    return seen[_NAMED].rstrip(b"\0") if is_zmtp else b""


def is_complete(seen: bytes) -> bool:
    """Tell whether `seen`, all that the far end sent so far, is enough to name it."""
    if len(seen) >= MOST_BYTES or not SIGNATURE.startswith(seen[:1]):
        return bool(seen)
    if len(seen) < GREETING_BYTES:
        return False
    return mechanism(seen) != MECHANISM or socket_type(seen) is not None


def described(seen: bytes) -> str:
    """Name the far end for people, from all that it sent after `greeting.GREETING`."""
    if not seen:
        return "something that does not speak our protocol (it sends nothing)"
    if not SIGNATURE.startswith(seen[:1]):
        return f"something that does not speak our protocol (it sent {seen[:_SHOWN_BYTES]!r})"
    if len(seen) < GREETING_BYTES:
        return "something that began to speak ZeroMQ and stopped"
    named = mechanism(seen)
    if named != MECHANISM:
        return f"a ZeroMQ socket with the security mechanism {_text(named)}"
    kind = socket_type(seen)
    return f"a ZeroMQ socket of type {_text(kind)}" if kind else "a ZeroMQ socket that refuses us"


def socket_type(seen: bytes) -> bytes | None:
    """Return the property `Socket-Type` of the READY behind the greeting; None without one."""
    command = seen[GREETING_BYTES:]
    if _READY not in command[:16]:
        return None
    _, name, rest = command.partition(_SOCKET_TYPE)
    size = int.from_bytes(rest[:4], "big") if name else 0
    return rest[4 : 4 + size] if 0 < size <= len(rest) - 4 else None


def _text(value: bytes) -> str:
    text = value[:_SHOWN_BYTES].decode("ascii", "replace")
    return text if text.isprintable() else repr(text)
