"""A client's side of the broadcast plane: a SUB to listen, an XPUB that knows who listens.

Spec: docs/spec/05-broadcast.md. A thin shell around `audience`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

from . import frames, sockets, wire
from .audience import Audience, Gaps
from .errors import LinkClosed, Unreachable, WireError
from .pump import Pump

Heard = Callable[[int, bytes, bytes, bytes, bytes], None]
"""(kind or -1, trace, caller, worker, body) of a broadcast message."""


class Broadcast:
    """Listens to topics of one namespace and publishes what is listened to.

    Args:
        instance: Whose it is.
        namespace: Where it belongs.
        max_body_bytes: Size limit of a body.
        on_heard: Takes every message that arrives.
        on_missed: Takes the number of messages missed, whenever a gap shows.
    """

    def __init__(
        self,
        instance: bytes,
        namespace: str,
        max_body_bytes: int,
        on_heard: Heard,
        on_missed: Callable[[int], None],
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.audience = Audience(instance)
        self._instance = instance
        self._namespace = namespace
        self._on_heard = on_heard
        self._on_missed = on_missed
        self._gaps = Gaps()
        self._topics: Counter[bytes] = Counter()
        self._endpoints: tuple[str, str] | None = None
        self._turn = 0
        self._syncs: dict[bytes, asyncio.Future[None]] = {}
        self._live = asyncio.Event()
        self._closed = False
        self._sub = sockets.sub(max_body_bytes)
        self._publisher = sockets.publisher()
        self._sub_pump = Pump(self._sub, self._on_message)
        self._publisher_pump = Pump(self._publisher, self._on_subscription)

    def connect(self, listen: str, publish: str) -> None:
        """Connect both sockets, anew if the far end moved."""
        if self._endpoints == (listen, publish):
            return
        if self._endpoints is not None:
            self._sub.disconnect(self._endpoints[0])
            self._publisher.disconnect(self._endpoints[1])
        self._endpoints = (listen, publish)
        self._live.clear()
        self._sub.connect(listen)
        self._publisher.connect(publish)
        self._publisher_pump.look_again()

    async def wait_until_live(self, timeout_s: float) -> None:
        """Return when the far end hears us and we hear it.

        Raises:
            Unreachable: Not within `timeout_s` seconds.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._live.wait()
                await self._sync()
        except TimeoutError as error:
            where = " and ".join(self._endpoints or ("no endpoint",))
            raise Unreachable(where, "the broadcast ports do not answer") from error

    async def sync(self, timeout_s: float) -> None:
        """Return when every subscription made so far is in force at the far end.

        Raises:
            Unreachable: Not within `timeout_s` seconds.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._sync()
        except TimeoutError as error:
            where = self._endpoints[0] if self._endpoints else "no endpoint"
            raise Unreachable(where, "no answer to a subscription") from error

    async def _sync(self) -> None:
        self._turn += 1
        topic = wire.sync_topic(self._namespace, self._instance, self._turn)
        answered = self._syncs[topic] = asyncio.get_running_loop().create_future()
        self._subscribe(topic)
        try:
            await answered
        finally:
            self._syncs.pop(topic, None)
            if not self._closed:
                self._sub.unsubscribe(topic)

    def listen(self, kind: int | None = None, trace: bytes | None = None) -> None:
        """Listen to a kind or a trace; calls add up. In force after the next `sync`."""
        topic = self._topic(kind, trace)
        self._topics[topic] += 1
        if self._topics[topic] == 1:
            self._subscribe(topic)

    def unlisten(self, kind: int | None = None, trace: bytes | None = None) -> None:
        """Take back one `listen`."""
        topic = self._topic(kind, trace)
        self._topics[topic] -= 1
        if self._topics[topic] <= 0:
            del self._topics[topic]
            self._gaps.forget(topic)
            if not self._closed:
                self._sub.unsubscribe(topic)
                self._sub_pump.look_again()

    def publish(self, kind: int, trace: bytes, caller: bytes, worker: bytes, body: bytes) -> int:
        """Publish to whoever listens and return how many messages that took: 0, 1 or 2."""
        made = self.audience.publications(kind, trace, caller, worker, body)
        for message in made:
            frames.send(self._publisher, *message)
        if made:
            self.counts["published"] += len(made)
            self._publisher_pump.look_again()
        return len(made)

    def close(self) -> None:
        """Close both sockets."""
        if self._closed:
            return
        self._closed = True
        self._sub_pump.close()
        self._publisher_pump.close()
        self._sub.close()
        self._publisher.close()
        for answered in self._syncs.values():
            if not answered.done():
                answered.set_exception(LinkClosed("the link was closed while it synchronised"))

    def _topic(self, kind: int | None, trace: bytes | None) -> bytes:
        if kind is not None:
            return wire.kind_topic(self._namespace, kind)
        if trace is not None:
            return wire.trace_topic(self._namespace, trace)
        raise ValueError("listen to a kind or to a trace")

    def _subscribe(self, topic: bytes) -> None:
        self._sub.subscribe(topic)
        self._sub_pump.look_again()

    def _on_message(self, message: list[Any]) -> None:
        if len(message) != 3:
            self.counts["drop.frame_count"] += 1
            return
        topic, header, frame = message
        answered = self._syncs.get(topic)
        if answered is not None:
            if not answered.done():
                answered.set_result(None)
            return
        try:
            publisher, sequence, caller, worker = wire.unpack_header(header)
            _, kind, trace = wire.read_topic(topic)
        except WireError as error:
            self.counts[f"drop.{error.reason}"] += 1
            return
        missed = self._gaps.seen(topic, publisher, sequence)
        if missed:
            self._on_missed(missed)
        self._on_heard(-1 if kind is None else kind, trace or b"", caller, worker, frame.bytes)

    def _on_subscription(self, message: list[Any]) -> None:
        frame = message[-1].bytes
        joins, topic = frame[:1] == b"\x01", frame[1:]
        if topic == wire.LIVE_TOPIC:
            if joins:
                self._live.set()
            return
        try:
            namespace, kind, trace = wire.read_topic(topic)
        except WireError as error:
            self.counts[f"ignored.{error.reason}"] += 1
            return
        if namespace != self._namespace:
            return
        if joins:
            self.audience.joined(topic, kind, trace)
        else:
            self.audience.left(kind, trace)
