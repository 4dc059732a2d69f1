"""Answer a question of libzmq: who is this connection, and may it come in? Pure.

Spec: docs/spec/11-access.md; the frames are those of ZAP 1.0, https://rfc.zeromq.org/spec/27.
The answer is 200 or 400, and nothing else: of the other codes the far end gets no clean end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from .curve_keys import KEY_BYTES
from .rights import Access

DOMAIN: Final = b"proxy"
VERSION: Final = b"1.0"
_KEY: Final = "key"
_LOCAL: Final = re.compile(rb"localhost:(\d+):\d*:\d*")
"""The address of a peer at a Unix socket, from the kernel: user, group and process."""


def answer(question: Sequence[bytes], access: Access) -> list[bytes] | None:
    """Answer one question.

    The id that it gives is a property of every message of the connection, see `user_of`. It
    overrides whatever the far end claims to be.

    Args:
        question: The frames as a ROUTER receives them: who asks, an empty one, version, number of
            the question, domain, address, routing id, mechanism, and the credentials.
        access: Who may come in.

    Returns:
        The frames for the ROUTER; None for what cannot be answered.
    """
    if len(question) < 4 or question[1]:
        return None
    asking, _, _, number, *rest = question
    user_id = _id_of(question[2], rest, access)
    verdict = [b"200", b"OK"] if user_id else [b"400", b"not listed"]
    return [asking, b"", VERSION, number, *verdict, user_id.encode(), b""]


def user_of(user_id: str, access: Access) -> str:
    """Return the user of a connection that has come in; empty if it may not be here any more.

    The id names the key and not the user. So one that came in with a key and has said nothing yet
    is nobody once that key is taken away, even if its user stays with another key.

    Args:
        user_id: As `answer` gave it to libzmq.
        access: Who may come in now.
    """
    kind, _, key = user_id.partition(":")
    return access.user_of(bytes.fromhex(key)) or "" if kind == _KEY else user_id


def _id_of(version: bytes, rest: Sequence[bytes], access: Access) -> str:
    """Return the id of a connection; empty for one that may not come in."""
    if version != VERSION or len(rest) < 4 or rest[0] != DOMAIN:
        return ""
    _, address, _, mechanism, *credentials = rest
    if mechanism == b"CURVE" and len(credentials) == 1 and len(credentials[0]) == KEY_BYTES:
        return f"{_KEY}:{credentials[0].hex()}" if access.user_of(credentials[0]) else ""
    # Unix sockets have no keys. Their files let in who may come, and the engine knows the grants.
    found = _LOCAL.fullmatch(address) if mechanism == b"NULL" and not credentials else None
    return f"uid:{int(found[1])}" if found else ""
