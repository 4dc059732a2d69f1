"""What others say, within the bounds of an attribute of a span. Pure.

An exporter that cannot encode one value loses every span beside it.
"""

from __future__ import annotations

from typing import Any

MAX_TEXT_CHARACTERS = 256
_MAX_COUNT = 2**63 - 1
_MAX_ATTEMPT = 2**31 - 1


def told_text(value: Any) -> str:
    """Return a name, a code or an id as a text of at most 256 characters that can be encoded."""
    return str(value)[:MAX_TEXT_CHARACTERS].encode("utf-8", "replace").decode()


def told_count(value: Any) -> int | None:
    """Return a count of 0 to 2**63-1, which is all that an attribute can hold; else None."""
    is_one = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_COUNT
    return value if is_one else None


def told_attempt(value: Any) -> int | None:
    """Return the number of an attempt, of 1 to 2**31-1; None for anything else."""
    count = told_count(value)
    return count if count and count <= _MAX_ATTEMPT else None
