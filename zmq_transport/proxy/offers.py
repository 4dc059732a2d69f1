"""Things by the capabilities that they offer. Pure.

A name that one thing alone offers is the usual case, and costs no collection of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable
from typing import Generic, TypeVar

_Thing = TypeVar("_Thing", bound=Hashable)


class Offers(Generic[_Thing]):
    """Which things offer a capability, in the order in which they came."""

    def __init__(self) -> None:
        self._alone: dict[str, _Thing] = {}
        self._shared: dict[str, dict[_Thing, None]] = {}

    def __len__(self) -> int:
        """Return the number of capabilities that are offered."""
        return len(self._alone) + len(self._shared)

    def add(self, thing: _Thing, capabilities: Iterable[str]) -> None:
        """Add a thing that is not here yet."""
        alone, shared = self._alone, self._shared
        for each in capabilities:
            if each in shared:
                shared[each][thing] = None
            elif each in alone:
                shared[each] = {alone.pop(each): None, thing: None}
            else:
                alone[each] = thing

    def remove(self, thing: _Thing, capabilities: Iterable[str]) -> None:
        """Remove a thing that was added with the same capabilities."""
        alone, shared = self._alone, self._shared
        for each in capabilities:
            things = shared.get(each)
            if things is None:
                del alone[each]
                continue
            del things[thing]
            if len(things) == 1:
                del shared[each]
                (alone[each],) = things

    def of(self, capability: str) -> Collection[_Thing]:
        """Return the things that offer a capability, the oldest first."""
        shared = self._shared.get(capability)
        if shared is not None:
            return shared
        return (self._alone[capability],) if capability in self._alone else ()
