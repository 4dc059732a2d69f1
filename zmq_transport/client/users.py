"""Which user an instance id belongs to. Spec: docs/spec/11-access.md, Instance ids. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..access.origin import TAG_BYTES, tag_of


class Users:
    """The names of those who may be in the namespace, as the proxy tells them.

    Empty at a proxy without keys.
    """

    def __init__(self) -> None:
        self._names: dict[bytes, str] = {}

    def __bool__(self) -> bool:
        """Return whether any is known."""
        return bool(self._names)

    def __iter__(self) -> Iterator[str]:
        """Return the names."""
        return iter(self._names.values())

    def add(self, page: int, names: Iterable[str]) -> None:
        """Record a page of names; page 0 is the first of a new list."""
        if page == 0:
            self._names.clear()
        self._names.update((tag_of(each), each) for each in names)

    def user_of(self, instance: bytes) -> str | None:
        """Return the user to whom an instance id belongs; None if it is nobody's."""
        return self._names.get(instance[-TAG_BYTES:])
