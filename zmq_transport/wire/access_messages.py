"""Why a proxy refuses, and the names of those who may be here.

Spec: docs/spec/11-access.md; docs/spec/12-failover.md of a standby. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
import msgpack

from ..errors import WireError, shown
from .greetings import MAX_BYTES, unpack_map

ACCESS: Final = "access"
"""The `code` of a REFUSED that is about a key or its rights."""
STANDBY: Final = "standby"
"""The `code` of a REFUSED of a proxy that does not lead."""
MAX_FABRIC: Final = 16
"""How many URLs `fabric` may have; those behind them are not read."""


@attrs.frozen
class Refusal:
    """The fields of a REFUSED.

    Args:
        reason: What was refused.
        fix: What to do about it; None if it is not about a key or its rights.
        code: What the refusal is about, such as `access` or `standby`; empty if it does not say.
        fabric: Of a standby, the URLs of the other proxies, 16 at most.
    """

    reason: str
    fix: str | None = None
    code: str = ""
    fabric: tuple[str, ...] = ()


def unpack_refused(body: bytes) -> Refusal:
    """Return the fields of a REFUSED; what is missing or of another type has a text of its own.

    Raises:
        WireError: It is not a small map.
    """
    fields = unpack_map(body)
    reason = fields.get("reason", "no reason given")
    reason = reason if isinstance(reason, str) else shown(reason)
    code = fields.get("code", "")
    code = code if isinstance(code, str) else shown(code)
    if code == ACCESS:
        fix = fields.get("fix", "")
        return Refusal(reason, fix if isinstance(fix, str) else shown(fix), code)
    return Refusal(reason, None, code, _fabric(fields) if code == STANDBY else ())


def _fabric(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the URLs of the other proxies, as far as they are texts."""
    listed = fields.get("fabric")
    texts = [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else []
    return tuple(texts[:MAX_FABRIC])


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
