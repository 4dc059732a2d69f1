"""Several small messages to one target as one. Spec: docs/spec/01-wire.md. Pure.

The biggest gain there is under load: a message costs far more than an item of it. What is bundled
was complete before and is complete after; every item keeps its own outcome.
"""

from __future__ import annotations

from typing import Any, Final

from . import wire

MAX_ITEMS: Final = wire.MAX_ITEMS - 1
"""One less than fit, so that a refused message has room for the BOUNCE in front."""
MAX_BODY_BYTES: Final = 16 * 1024
"""A larger body travels alone: copying it would cost more than a message of its own."""

_LOST = int(wire.Verb.LOST)
Single = tuple[bytes, Any]
"""head and body of a message with one item."""


class Bundle:
    """Messages to one target, in order."""

    __slots__ = ("_bytes", "singles")

    def __init__(self) -> None:
        self.singles: list[Single] = []
        self._bytes = 0

    def has_room(self, body: Any) -> bool:
        """Tell whether one more fits."""
        return len(self.singles) < MAX_ITEMS and self._bytes + len(body) <= wire.MAX_COALESCED_BYTES

    def add(self, head: bytes, body: Any) -> None:
        """Put one more behind the others."""
        self.singles.append((head, body))
        self._bytes += len(body)

    def message(self) -> Single:
        """Return all of it as one message; a lone one as it was."""
        if len(self.singles) == 1:
            return self.singles[0]
        heads = [head for head, _ in self.singles]
        return wire.bundle(heads), b"".join(bytes(body) for _, body in self.singles)


class Bundler:
    """The bundles of every connection, in the order in which they were begun."""

    def __init__(self) -> None:
        self._open: dict[bytes, dict[bytes, Bundle]] = {}
        self._full: dict[bytes, list[Bundle]] = {}
        self.count = 0

    def __bool__(self) -> bool:
        """Tell whether anything is in it."""
        return bool(self._open)

    @staticmethod
    def takes(head: bytes, body: Any) -> bool:
        """Tell whether a message may be bundled."""
        return len(body) <= MAX_BODY_BYTES and wire.is_bundled(head)

    def add(self, connection: bytes, head: bytes, body: Any) -> None:
        """Put a message with one item into the bundle of its target."""
        targets = self._open.get(connection)
        if targets is None:
            targets = self._open[connection] = {}
        key = wire.target_of(head)
        bundle = targets.get(key)
        if bundle is None:
            bundle = targets[key] = Bundle()
        elif not bundle.has_room(body):
            self._full.setdefault(connection, []).append(bundle)
            bundle = targets[key] = Bundle()
        bundle.add(head, body)
        self.count += 1

    def take(self, connection: bytes) -> list[Bundle]:
        """Take out what is for one connection; within a target in the order it came.

        Losses come last: no reply to a task follows its loss, but one may have been ahead of it.
        """
        targets = self._open.pop(connection, None)
        if targets is None:
            return []
        bundles = [*self._full.pop(connection, ()), *targets.values()]
        if len(targets) > 1 and any(key[0] == _LOST for key in targets):
            bundles.sort(key=_is_loss)
        self.count -= sum(len(bundle.singles) for bundle in bundles)
        return bundles

    def connections(self) -> list[bytes]:
        """Return the connections that something is for."""
        return list(self._open)


def _is_loss(bundle: Bundle) -> bool:
    return wire.target_of(bundle.singles[0][0])[0] == _LOST
