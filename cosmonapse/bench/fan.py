"""The load of a fan-out: one publisher, many subscribers, and a window so that nothing is lost.

The subscribers acknowledge every 50 messages to the publisher, which never is more than a window
ahead of the slowest one. So the planes of all systems are measured at the speed at which they
deliver, not at the one at which they drop. The acknowledgements go over TCP: one that is lost would
look like a lost message, and datagrams are lost on a busy machine.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Awaitable, Callable

import attrs

from .children import BenchError

ACK_EVERY = 50
WINDOW = 500
_PROCESSES = 5
_TELLS = struct.Struct("=II")
_LOST_S = 10.0
_GREETS_EVERY_S = 0.02


def shares(subscribers: int) -> list[int]:
    """Return how many subscribers are in each of at most five processes."""
    processes = min(subscribers, _PROCESSES)
    return [len(range(first, subscribers, processes)) for first in range(processes)]


@attrs.frozen
class Fan:
    """One round of publishing.

    Args:
        published: How many messages were published.
        subscribers: How many got every one of them.
        elapsed_s: From the first until the last subscriber had the last one.
    """

    published: int
    subscribers: int
    elapsed_s: float

    @property
    def rate(self) -> float:
        """Deliveries per second, all subscribers together."""
        return self.published * self.subscribers / self.elapsed_s


class Acks:
    """The acknowledgements of the processes of subscribers; opened by `opened`."""

    def __init__(self, processes: int) -> None:
        self._had = [0] * processes
        self._unreached = set(range(processes))
        self._moved = asyncio.Event()
        self.port = 0
        self.close: Callable[[], None] = lambda: None

    @classmethod
    async def opened(cls, processes: int) -> Acks:
        """Return one that listens on `port` of the loopback device."""
        acks = cls(processes)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Reading(acks._told), "127.0.0.1", 0)
        acks.port = server.sockets[0].getsockname()[1]
        acks.close = server.close
        return acks

    def _told(self, number: int, had: int) -> None:
        """Record how many messages the slowest subscriber of a process has received."""
        self._unreached.discard(number)
        self._had[number] = had
        self._moved.set()

    async def all_reached(self, greet: Callable[[], Awaitable[object]]) -> None:
        """Greet again and again, until every process said that its subscribers heard it.

        A subscription is in force at the router before each publisher knows of it: what is
        published between the two reaches nobody, and would be waited for in vain.

        Raises:
            BenchError: Some have not heard any greeting for 10 s.
        """
        try:
            async with asyncio.timeout(_LOST_S):
                while self._unreached:
                    await greet()
                    await asyncio.sleep(_GREETS_EVERY_S)
        except TimeoutError:
            raise BenchError(
                f"what is published did not reach {len(self._unreached)} of {len(self._had)} "
                f"processes of subscribers in {_LOST_S:.0f} s"
            ) from None

    async def all_had(self, count: int) -> None:
        """Wait until every subscriber had that many.

        Raises:
            BenchError: There is no progress for 10 s.
        """
        try:
            while min(self._had) < count:
                self._moved.clear()
                async with asyncio.timeout(_LOST_S):
                    await self._moved.wait()
        except TimeoutError:
            raise BenchError(
                f"of {count:,} messages a subscriber had {min(self._had):,}, and no more come"
            ) from None


class _Reading(asyncio.Protocol):
    """Reads what one process tells."""

    def __init__(self, told: Callable[[int, int], None]) -> None:
        self._told = told
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        """Pass on each acknowledgement that is whole."""
        data = self._rest + data
        whole = len(data) - len(data) % _TELLS.size
        self._rest = data[whole:]
        for number, had in _TELLS.iter_unpack(data[:whole]):
            self._told(number, had)


class Teller:
    """The side of a process of subscribers: counts, and acknowledges to the publisher.

    It acknowledges the count of its slowest subscriber.

    Args:
        port: Of the publisher's `Acks`.
        process: The number of this process, from 0.
        subscribers: How many are in it.
    """

    def __init__(self, port: int, process: int, subscribers: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._process = process
        self._had = [0] * subscribers
        self._unreached = set(range(subscribers))
        self._told = 0

    def close(self) -> None:
        """Close its socket."""
        self._socket.close()

    def was_reached(self, subscriber: int) -> None:
        """Record a greeting; the first moment at which all have heard one is acknowledged."""
        if subscriber in self._unreached:
            self._unreached.remove(subscriber)
            if not self._unreached:
                self._socket.sendall(_TELLS.pack(self._process, 0))

    def had_one(self, subscriber: int) -> None:
        """Count a message that this subscriber of the process had."""
        self._had[subscriber] += 1
        if self._had[subscriber] % ACK_EVERY == 0 and (least := min(self._had)) > self._told:
            least -= least % ACK_EVERY
            self._told = least
            self._socket.sendall(_TELLS.pack(self._process, least))


class Publishing:
    """Publishes round after round, and knows how many went before.

    Args:
        acks: The acknowledgements of the subscribers.
        subscribers: How many they are.
        publish: Publishes one message.
    """

    def __init__(
        self, acks: Acks, subscribers: int, publish: Callable[[], Awaitable[object]]
    ) -> None:
        self._acks = acks
        self._subscribers = subscribers
        self._publish = publish
        self._count = 0

    async def for_(self, seconds: float, burst: int = ACK_EVERY) -> Fan:
        """Publish for that many seconds and wait until every subscriber has all messages.

        Args:
            seconds: How long.
            burst: How many are published in one turn of the loop, 1 to 50.

        Raises:
            BenchError: Messages were lost.
        """
        clock, before = time.perf_counter, self._count
        begin_s = clock()
        while clock() < begin_s + seconds:
            await self._acks.all_had(self._count + ACK_EVERY - WINDOW)
            for number in range(1, ACK_EVERY + 1):
                await self._publish()
                if number % burst == 0:
                    await asyncio.sleep(0)
            self._count += ACK_EVERY
        await self._acks.all_had(self._count)
        return Fan(self._count - before, self._subscribers, clock() - begin_s)
