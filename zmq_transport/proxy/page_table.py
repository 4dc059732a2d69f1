"""Things that came with growing numbers, read page by page. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice
from typing import Final, Generic, TypeVar

_FEW: Final = 64
_Thing = TypeVar("_Thing")


class PageTable(Generic[_Thing]):
    """A dict from number to thing that finds where a page begins without counting up to it."""

    def __init__(self) -> None:
        self._things: dict[int, _Thing] = {}
        # Ascending; the numbers of things that were removed stay until they are half of all.
        self._numbers: list[int] = []

    def __len__(self) -> int:
        """Return the number of things."""
        return len(self._things)

    def __iter__(self) -> Iterator[_Thing]:
        """Yield every thing, the lowest number first."""
        return iter(self._things.values())

    def add(self, number: int, thing: _Thing) -> None:
        """Add a thing; its number is above those of all before it."""
        self._things[number] = thing
        self._numbers.append(number)

    def remove(self, number: int) -> None:
        """Remove a thing.

        Raises:
            KeyError: It is not here.
        """
        del self._things[number]
        if len(self._numbers) > 2 * len(self._things) + _FEW:
            self._numbers = list(self._things)

    def after(self, number: int) -> Iterator[_Thing]:
        """Yield the things with numbers above `number`, the lowest first."""
        things = self._things
        for each in islice(self._numbers, bisect_right(self._numbers, number), None):
            if each in things:
                yield things[each]
