"""A bound for how many values a label may have, so that no scrape grows without end. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

MAX_LABELS = 500
OTHER = "_other"

T = TypeVar("T")


class Bounded(Generic[T]):
    """Things by label: 500 of them, and one for all labels that came later.

    Args:
        make: Makes a new one.

    Attributes:
        all: Each by its label.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self.all: dict[str, T] = {}

    def of(self, label: str) -> T:
        """Return that of a label; that of `_other` for one too many."""
        found = self.all.get(label)
        if found is None:
            if len(self.all) >= MAX_LABELS:
                label = OTHER
            found = self.all.setdefault(label, self._make())
        return found
