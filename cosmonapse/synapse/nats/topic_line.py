"""The second line of a router, over which it publishes for who listens.

Spec: docs/spec/14-nats.md, "Routers". nats-server makes a connection wait that publishes for one
that reads too slowly. That is this one, and directed messages go on over the first one. It is at
the same nats-server: there a subscription is known when the router reads of it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Hashable
from typing import Final, Protocol

from .errors_of import Fault
from .pacer import Pacer
from .place import NatsPlace
from .post import HandOver
from .router_line import MakeLine, RouterLine
from .server_rotation import NatsAddress

NAME: Final = "cosmo-synapse topics"
PING_S: Final = 5.0
"""How often the nats-server is asked for a sign of life: not seldom it answers only once it has cut
who does not read, after 10 s by default. That it is gone, the first line finds out."""


class TopicEvents(Protocol):
    """What a router does at the events of its second line."""

    def on_topics_up(self) -> None:
        """Handle that there is a connection."""

    def on_topics_down(self, why: str) -> None:
        """Handle that it broke: what was published and had not left is gone."""

    def on_fault(self, fault: Fault) -> None:
        """See `LineEvents`."""


class TopicLine:
    """Makes a second line for each connection of the first one. It is the `Post` of its messages.

    Args:
        make_line: Makes a line.
        counts: The counters of the router.
        events: Takes the events.
    """

    def __init__(self, make_line: MakeLine, counts: Counter[str], events: TopicEvents) -> None:
        self._make_line, self._counts, self._events = make_line, counts, events
        self._pacer = Pacer(self._flush)
        self._line: RouterLine | None = None
        self._closings: set[asyncio.Task[None]] = set()

    def open(self, place: NatsPlace, address: NatsAddress | None) -> None:
        """Begin to connect to the nats-server of the first line; an earlier line ends."""
        self.close()
        self._line = self._make_line(place, NAME, self, PING_S, address)
        self._line.start()

    def close(self) -> None:
        """End the line; what was published before still leaves, in the background."""
        self.forget_all()
        line, self._line = self._line, None
        if line is None:
            return
        line.close()
        closing = asyncio.get_running_loop().create_task(line.closed(), name=f"close {NAME}")
        self._closings.add(closing)
        closing.add_done_callback(self._closings.discard)

    async def closed(self) -> None:
        """Return when nothing of any line is left; call it after `close`."""
        if self._closings:
            await asyncio.wait(self._closings)

    async def run(self) -> None:
        """Hand over what waits for its turn, until cancelled."""
        await self._pacer.run()

    def forget_all(self) -> None:
        """Hand over nothing of what waits for its turn."""
        self._pacer.forget_all()

    async def _flush(self) -> bool:
        return self._line is not None and await self._line.flush()

    # -- the line --------------------------------------------------------------------------------

    def on_up(self) -> None:
        """See `LineEvents`."""
        self._events.on_topics_up()

    def on_down(self, why: str) -> None:
        """See `LineEvents`."""
        self.forget_all()
        self._events.on_topics_down(why)

    def on_fault(self, fault: Fault) -> None:
        """See `LineEvents`."""
        self._events.on_fault(fault)

    # -- the post --------------------------------------------------------------------------------

    @property
    def is_connected(self) -> bool:
        """See `Post`."""
        return self._line is not None and self._line.is_connected

    @property
    def max_payload(self) -> int:
        """See `Post`."""
        return 0 if self._line is None else self._line.max_payload

    @property
    def waiting_bytes(self) -> int:
        """See `Post`."""
        return 0 if self._line is None else self._line.waiting_bytes

    def publish(self, subject: str, data: bytes, reply: str = "") -> None:
        """See `Post`."""
        if self._line is None or not self._line.publish(subject, data, reply):
            self._counts["drop.no_topic_line"] += 1

    def pace(self, key: Hashable, hand_over: HandOver) -> None:
        """See `Post`."""
        self._pacer.add(key, hand_over)
