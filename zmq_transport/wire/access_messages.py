"""What a proxy tells about keys: why it refuses, and the names of those who may be here.

Spec: docs/spec/11-access.md. Pure.
"""

from __future__ import annotations

from typing import Any, Final

import attrs
import msgpack

from ..errors import WireError, shown
from .greetings import MAX_BYTES, unpack_map

ACCESS: Final = "access"
"""The `code` of a REFUSED that is about a key or its rights."""


@attrs.frozen
class Refusal:
    """The fields of a REFUSED.

    Args:
        reason: What was refused.
        fix: What to do about it; None if it is not about a key or its rights.
    """

    reason: str
    fix: str | None = None


def unpack_refused(body: bytes) -> Refusal:
    """Return the fields of a REFUSED; what is missing or of another type has a text of its own.

    Raises:
        WireError: It is not a small map.
    """
    fields = unpack_map(body)
    reason = fields.get("reason", "no reason given")
    reason = reason if isinstance(reason, str) else shown(reason)
    if fields.get("code") != ACCESS:
        return Refusal(reason)
    fix = fields.get("fix", "")
    return Refusal(reason, fix if isinstance(fix, str) else shown(fix))


def unpack_users(body: bytes) -> list[str]:
    """Return the names of a page of USERS.

    Raises:
        WireError: It is not a list of texts of at most 8,192 bytes.
    """
    if len(body) > MAX_BYTES:
        raise WireError("long_body", f"{len(body):,} bytes where at most {MAX_BYTES:,} belong")
    try:
        names: Any = msgpack.unpackb(body, raw=False, use_list=True, max_ext_len=0)
    except (ValueError, msgpack.UnpackException) as error:
        raise WireError("bad_body", f"not a msgpack list: {error}") from error
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise WireError("bad_body", f"a list of texts belongs here, not {shown(names)}")
    return names
