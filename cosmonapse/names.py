"""Names of neurons, capabilities, namespaces and Dendrites: one alphabet for all. Pure."""

from __future__ import annotations

import re

from .errors import InvalidName

_MAX_CAPABILITIES = 256
_MAX_CAPABILITIES_LENGTH = 4_000
"""What fits into an address and into the facts of a REGISTER."""
_NAME = re.compile(r"[A-Za-z0-9._-]{1,128}")


def checked_name(what: str, value: object) -> str:
    """Return `value` if it may name a neuron, a capability, a namespace or a Dendrite.

    Raises:
        InvalidName: It is not 1 to 128 characters out of `A-Z a-z 0-9 . _ -`.
    """
    if isinstance(value, str) and _NAME.fullmatch(value) and value not in {".", ".."}:
        return value
    raise InvalidName(what, value)


def checked_capabilities(values: object) -> tuple[str, ...]:
    """Return capabilities as a tuple without repeats, in the order given.

    Raises:
        InvalidName: One of them is no name.
        TypeError: It is no list of names.
        ValueError: They are over 256, or over 4,000 characters with a comma after each.
    """
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        raise TypeError(f"capabilities must be a list of names, not {values!r:.100}")
    names = tuple(dict.fromkeys(checked_name("capability", each) for each in values))
    length = sum(map(len, names)) + len(names)
    if len(names) > _MAX_CAPABILITIES or length > _MAX_CAPABILITIES_LENGTH:
        raise ValueError(
            f"capabilities are at most {_MAX_CAPABILITIES} names of {_MAX_CAPABILITIES_LENGTH:,} "
            f"characters together, not {len(names):,} of {length:,}"
        )
    return names
