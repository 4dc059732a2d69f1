"""Read what HEARTBEATs tell of their seats, each map once. Pure.

Spec: docs/spec/04-liveness.md, "Presence". Workers at rest say the same again and again, and all of
them the same: so the maps are shared, and nobody may change one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..wire import greetings
from .roster import short_facts

MAX_KNOWN: Final = 1024
"""How many maps are remembered."""
MAX_KNOWN_BYTES: Final = 256
"""Limit of one that is remembered, as it came."""


class PresenceReader:
    """Reads each map once, and remembers those that are short."""

    def __init__(self) -> None:
        self._known: dict[bytes, Mapping[str, Any]] = {}

    def __len__(self) -> int:
        """Return how many maps are remembered."""
        return len(self._known)

    def read(self, packed: bytes) -> Mapping[str, Any]:
        """Return the numbers and short texts of a map.

        Raises:
            WireError: It is not a map with text keys, or over a limit.
        """
        known = self._known.get(packed)
        if known is not None:
            return known
        facts = short_facts(greetings.unpack_map(packed))
        if len(packed) <= MAX_KNOWN_BYTES:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[packed] = facts
        return facts
