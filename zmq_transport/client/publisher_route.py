"""Decide which way the publications of a client go until its own socket knows its listeners. Pure.

Spec: docs/spec/05-broadcast.md, "A socket of one's own". Until then they are handed over to the
proxy, since an unknown listener is not a missing one. The change from one way to the other keeps
their order: what is published in between is held until the proxy has published all the rest.
"""

from __future__ import annotations

import enum
from typing import Final

Publication = tuple[int, bytes, bytes]
"""kind, trace, body"""

MAX_HELD: Final = 1024
MAX_HELD_BYTES: Final = 4 * 1024 * 1024
MAX_SELDOM: Final = 100
"""How many seldom publications a second do without a socket."""


class PublisherState(enum.Enum):
    """The states of the socket that publishes."""

    CLOSED = enum.auto()
    """There is none; publications are handed over."""
    OPENING = enum.auto()
    """It connects; publications are handed over."""
    ASKING = enum.auto()
    """It knows its listeners; publications are held until all that were handed over are out."""
    LIVE = enum.auto()
    """Publications go out by it."""


class PublisherRoute:
    """The way of the publications of one client.

    Attributes:
        state: The state of the socket.
        turn: Grows when publications are handed over while an answer is awaited: that answer says
            nothing about them.
    """

    def __init__(self) -> None:
        self.state = PublisherState.CLOSED
        self.turn = 0
        self._held: list[Publication] = []
        self._held_bytes = 0
        self._knows_listeners = False
        self._seldom_count = 0
        self._seldom_until_s = 0.0

    def is_often(self, now_s: float) -> bool:
        """Count a publication that opens no socket; True if there are too many of them."""
        if now_s >= self._seldom_until_s:
            self._seldom_until_s, self._seldom_count = now_s + 1.0, 0
        self._seldom_count += 1
        return self._seldom_count > MAX_SELDOM

    def open(self) -> bool:
        """Begin to connect; False if that began before."""
        if self.state is not PublisherState.CLOSED:
            return False
        self.state = PublisherState.OPENING
        return True

    def on_sentinel(self, joins: bool, hands_over: bool) -> list[Publication]:
        """Record that the socket knows its listeners, or that its connection ended.

        Args:
            joins: Whether it knows them.
            hands_over: Whether the proxy takes what is handed over.

        Returns:
            What was held and has to be handed over.
        """
        self._knows_listeners = joins
        if not joins:
            return self.give_up()
        if self.state is PublisherState.OPENING and not hands_over:
            self.state = PublisherState.LIVE  # nothing was handed over, so nothing is overtaken
        return []

    def ask(self) -> bool:
        """Begin to wait for the answer that all is out; False if there is nothing to wait for."""
        if self.state is PublisherState.OPENING and self._knows_listeners:
            self.state = PublisherState.ASKING
        return self.state is PublisherState.ASKING

    def hold(self, publication: Publication) -> bool:
        """Hold a publication while the answer is awaited; False if there is no room."""
        size = len(publication[2])
        if len(self._held) >= MAX_HELD or self._held_bytes + size > MAX_HELD_BYTES:
            return False
        self._held.append(publication)
        self._held_bytes += size
        return True

    def overflow(self) -> list[Publication]:
        """Return what was held and has to be handed over: there is no room for more."""
        self.turn += 1
        return self._take()

    def on_answer(self, turn: int) -> list[Publication]:
        """Go on with the socket; return what it has to publish first.

        Args:
            turn: The `turn` at which the question was asked; nothing changes if that is over.
        """
        if self.state is not PublisherState.ASKING or turn != self.turn:
            return []
        self.state = PublisherState.LIVE
        return self._take()

    def give_up(self) -> list[Publication]:
        """End to wait for the answer; return what was held and has to be handed over."""
        if self.state is PublisherState.ASKING:
            self.state = PublisherState.OPENING
            self.turn += 1
        return self._take()

    def _take(self) -> list[Publication]:
        held, self._held, self._held_bytes = self._held, [], 0
        return held
