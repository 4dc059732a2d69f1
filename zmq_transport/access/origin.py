"""Where a message comes from, as the transport verified it. Spec: docs/spec/11-access.md. Pure."""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from hashlib import blake2b
from typing import Final

import attrs

TAG_BYTES: Final = 4
HASH_BYTES: Final = 12


@attrs.frozen
class Origin:
    """Where a message comes from.

    Args:
        user: The name of the key of the connection; `uid:1000` for one over a Unix socket of a
            proxy with keys; empty where the transport verified nobody.
        host: The network address; `ipc` or `memory` for this machine.
        line: The connection, for the shell that made this: an output CUT names it. Opaque.
    """

    user: str = ""
    host: str = ""
    line: Hashable = None


UNKNOWN: Final = Origin()
"""Nobody: a proxy without keys verifies nothing."""
_UID: Final = "uid:"
_PROXY: Final = "peer:"


def proxy_user(name: str) -> str:
    """Return the user of another proxy of the fabric, under its name."""
    return _PROXY + name


def is_proxy(user: str) -> bool:
    """Tell whether a user is another proxy of the fabric: it reports, and may do nothing else."""
    return user.startswith(_PROXY)


def has_tag(user: str) -> bool:
    """Tell whether the instance ids of a user end with its tag: one of a key of a client."""
    return bool(user) and not user.startswith((_UID, _PROXY))


@lru_cache(maxsize=4096)
def tag_of(user: str) -> bytes:
    """Return the 4 bytes with which the instance ids of a user end, where keys are in use."""
    return blake2b(user.encode(), digest_size=TAG_BYTES, person=b"user").digest()


def instance_of(secret: bytes) -> bytes:
    """Return the instance id that belongs to a 16-byte secret of nobody with a key."""
    return blake2b(secret, digest_size=16, person=b"instance").digest()


def instance_of_user(secret: bytes, user: str) -> bytes:
    """Return the instance id that belongs to a 16-byte secret of a user.

    The first 12 bytes are those of `instance_of`, the others the tag of a user that has one.
    """
    made = instance_of(secret)
    return made[:HASH_BYTES] + tag_of(user) if has_tag(user) else made
