"""What is wrong with the body of a request of A2A, before the SDK reads it. Pure.

The SDK reads more than JSON has, such as NaN and UTF-16, and half of a surrogate pair too. It fails
later, and where it writes its answer, so that a mistake of a client would look like one of ours.
"""

from __future__ import annotations

import math
import re
from typing import Any

import attrs

from ..edge.outcomes import BadRequest, json_value

# Of such a body each value is looked at: an escaped surrogate, or a number of over 200 digits.
_IS_SUSPECT = re.compile(rb"\\u[dD][89a-fA-F]|[eE]\+?\d{3}|\d{200}").search
_MAX_SHOWN = 60


@attrs.frozen
class Flaw:
    """What is wrong with a body.

    Args:
        text: For the client.
        is_json: Whether it is JSON nevertheless, so that its values are to blame.
        request_id: The id of a request of JSON-RPC; None if there is none to be told.
    """

    text: str
    is_json: bool = False
    request_id: str | int | None = None


def flaw_of(raw: bytes) -> Flaw | None:
    """Return what is wrong with a body; None for one that the SDK can read, and answer.

    Args:
        raw: The body.
    """
    try:
        value = json_value(raw)
    except BadRequest as error:
        return Flaw(str(error))
    text = _unfit(value) if _IS_SUSPECT(raw) else ""
    return Flaw(text, is_json=True, request_id=_id_of(value)) if text else None


def _unfit(value: Any) -> str:
    """Return what is wrong with a value of JSON or one within; empty for nothing."""
    left = [value]
    while left:
        match left.pop():
            case str() as text:
                if not _is_unicode(text):
                    shown = ascii(text[:_MAX_SHOWN])
                    return f"a text of the body holds half of a surrogate pair: {shown}"
            case float() as number:
                if not math.isfinite(number):
                    return "a number of the body is too large: at most 1.8e308 can be read"
            case dict() as fields:
                left += fields.values()
                left += fields
            case list() as items:
                left += items
    return ""


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _id_of(value: Any) -> str | int | None:
    """Return the id of a request of JSON-RPC, if an answer can name it."""
    told = value.get("id") if isinstance(value, dict) else None
    if isinstance(told, str):
        return told if _is_unicode(told) else None
    return told if isinstance(told, int) and not isinstance(told, bool) else None
