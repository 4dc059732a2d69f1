"""Which user an instance id belongs to. Spec: docs/spec/11-access.md, Instance ids. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..access.origin import TAG_BYTES, tag_of


class Users:
    """The names of those who may be in the namespace, as the proxy tells them.

    Empty at a proxy without keys. Nothing marks the last page of a list, so the list before it
    counts beside it until `on_welcomed`, or the next list: no user is without a name meanwhile.
    """

    def __init__(self) -> None:
        self._names: dict[bytes, str] = {}
        self._earlier: dict[bytes, str] = {}

    def __iter__(self) -> Iterator[str]:
        """Return the names in the latest list, as far as it came."""
        return iter(self._names.values())

    def add(self, page: int, names: Iterable[str]) -> None:
        """Record a page of names; page 0 is the first of a new list."""
        if page == 0:
            self._earlier, self._names = self._names, {}
        self._names.update((tag_of(each), each) for each in names)

    def on_welcomed(self) -> None:
        """Forget who is not in the latest list: all of it comes ahead of a WELCOME."""
        self._earlier = {}

    def user_of(self, instance: bytes) -> str | None:
        """Return the user to whom an instance id belongs; None if it is nobody's."""
        tag = instance[-TAG_BYTES:]
        return self._names.get(tag) or self._earlier.get(tag)
