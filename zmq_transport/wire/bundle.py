"""Bundle small messages to one target into one message. Spec: docs/spec/01-wire.md, Bundles. Pure.

A message costs far more than an item of it. Every item is a whole message before and after, and
keeps its own outcome.
"""

from __future__ import annotations

from typing import Any, Final

from . import heads

MAX_ITEMS: Final = heads.MAX_ITEMS - 1
"""One below the limit, so that a refused message has room for the BOUNCE in front."""
MAX_BODY_BYTES: Final = 16 * 1024
"""A larger body travels alone: copying it would cost more than a message of its own."""

_LOST = int(heads.Verb.LOST)
Message = tuple[bytes, Any]
"""head and body"""


class Bundle:
    """Messages to one target, in order. Slots: under load there are many."""

    __slots__ = ("_address", "_start", "bodies", "bytes", "items")

    def __init__(self, start: bytes, address: bytes) -> None:
        self._start = start
        self._address = address
        self.items: list[bytes] = []
        self.bodies: list[Any] = []
        self.bytes = 0

    def message(self) -> Message:
        """Return all of it as one message."""
        bodies = self.bodies
        body = bodies[0] if len(bodies) == 1 else b"".join(bodies)
        return heads.head_of(self._start, self.items, self._address), body


class Bundler:
    """The bundles of every connection, in the order in which they were begun."""

    def __init__(self) -> None:
        self._open: dict[bytes, dict[tuple[int, bytes, bytes], Bundle]] = {}
        self._full: dict[bytes, list[Bundle]] = {}
        self.count = 0

    def __bool__(self) -> bool:
        """Return whether any message is gathered."""
        return bool(self._open)

    @staticmethod
    def takes(head: bytes, body: Any) -> bool:
        """Return whether a message may be bundled."""
        return len(body) <= MAX_BODY_BYTES and heads.is_bundled(head)

    def add(self, connection: bytes, head: bytes, body: Any) -> None:
        """Put a message with one item into the bundle of its target."""
        self.add_item(connection, *heads.cut(head), body)

    def add_item(
        self, connection: bytes, start: bytes, item: bytes, address: bytes, body: Any
    ) -> None:
        """Add a message like `add`, with a head in parts.

        Args:
            connection: Where it goes.
            start: See `heads.start_of`.
            item: See `heads.pack_item`.
            address: See `heads.address_of`.
            body: Any value with a length that `bytes.join` accepts.
        """
        targets = self._open.get(connection)
        if targets is None:
            targets = self._open[connection] = {}
        key = (item[0], start, address)
        bundle = targets.get(key)
        size = len(body)
        if bundle is None:
            bundle = targets[key] = Bundle(start, address)
        elif len(bundle.items) == MAX_ITEMS or bundle.bytes + size > heads.MAX_COALESCED_BYTES:
            self._full.setdefault(connection, []).append(bundle)
            bundle = targets[key] = Bundle(start, address)
        bundle.items.append(item)
        bundle.bodies.append(body)
        bundle.bytes += size
        self.count += 1

    def take(self, connection: bytes) -> list[Message]:
        """Remove and return the bundles of one connection; in order of arrival within a target.

        Losses come last: no reply to a task follows its loss, but one may have come before it.
        """
        targets = self._open.pop(connection, None)
        if targets is None:
            return []
        full = self._full.pop(connection, None)
        bundles = [*targets.values()] if full is None else [*full, *targets.values()]
        # 01, Bundles 5: LOSTs go after the REPLYs gathered for the same connection.
        if len(targets) > 1 and any(verb == _LOST for verb, _, _ in targets):
            bundles.sort(key=_is_loss)
        for bundle in bundles:
            self.count -= len(bundle.items)
        return [bundle.message() for bundle in bundles]

    def connections(self) -> list[bytes]:
        """Return the connections that have gathered messages."""
        return list(self._open)


def split_bundle(head: bytes, body: Any) -> list[Message]:
    """Return the messages of a bundle; a message that is not a bundle unchanged.

    Raises:
        WireError: The message is invalid.
    """
    if not heads.is_bundled(head) or heads.unpack_single(head) is not None:
        return [(head, body)]
    return list(heads.split(head, bytes(body)))


def _is_loss(bundle: Bundle) -> bool:
    item, *_ = bundle.items
    return heads.verb_of_item(item) == _LOST
