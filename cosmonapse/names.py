"""Checks names of neurons, capabilities, namespaces and Dendrites: one alphabet for all. Pure."""

from __future__ import annotations

import re

from .errors import InvalidName

_MAX_CAPABILITIES = 256
_MAX_CAPABILITIES_LENGTH = 4_000
"""The length that fits into an address and into the facts of a REGISTER (01-wire)."""
_NAME = re.compile(r"[A-Za-z0-9._-]{1,128}")


def checked_name(what: str, value: object) -> str:
    """Return `value` if it is a valid name.

    Raises:
        InvalidName: It is not 1 to 128 characters of `A-Z a-z 0-9 . _ -`.
    """
    if isinstance(value, str) and _NAME.fullmatch(value) and value not in {".", ".."}:
        return value
    raise InvalidName(what, value)


def checked_capabilities(values: object) -> tuple[str, ...]:
    """Return capabilities as a tuple without repeats, in the order given.

    Raises:
        InvalidName: One of them is invalid.
        TypeError: It is not a list of names.
        ValueError: They are over 256, or over 4,000 characters with a comma after each.
    """
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        raise TypeError(f"capabilities must be a list of names, not {values!r:.100}")
    names = tuple(dict.fromkeys(checked_name("capability", each) for each in values))
    length = sum(map(len, names)) + len(names)
    if len(names) > _MAX_CAPABILITIES or length > _MAX_CAPABILITIES_LENGTH:
        raise ValueError(
            f"capabilities must be at most {_MAX_CAPABILITIES} names with "
            f"{_MAX_CAPABILITIES_LENGTH:,} characters together, not {len(names):,} of {length:,}"
        )
    return names
