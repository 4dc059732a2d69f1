"""The interface of what keeps the entries of an Engram. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

Hit: TypeAlias = Mapping[str, Any]
"""An entry that was found: `id`, `text`, `data` and `score`, a number that is higher for better."""


@runtime_checkable
class MemoryStore(Protocol):
    """Keeps texts and finds them again.

    Each method is a plain `def`, which is called in a thread and from several at once, or an `async
    def`. What an Engram passes has been checked: texts and names have their bounds, `data` is JSON.
    """

    def imprint(self, id: str, text: str, *, space: str, data: Any) -> Any:
        """Keep an entry; one with the same id in the same space is replaced."""

    def recall(self, query: str, *, space: str, limit: int) -> Any:
        """Return up to `limit` hits of a space as a list, the best first."""

    def forget(self, id: str | None, *, space: str) -> Any:
        """Drop an entry of a space, or all of them for None; return how many there were."""


Hits: TypeAlias = Sequence[Hit]
