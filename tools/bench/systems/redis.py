"""Redis publish/subscribe: a request channel and a reply channel, through a local `redis-server`.

redis-py's asyncio client with the C parser hiredis. Each side reads its subscription on one
connection and publishes on another, in pipelines. Messages made while one is under way go
with the next: separate calls of `publish` would take a connection each.
Nothing is kept: a message to a channel without a subscriber is gone without a report.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager
from multiprocessing.connection import Connection
from typing import Any

import msgpack

from cosmonapse.bench.children import BenchError, Child, run_loop, together, while_asked
from cosmonapse.bench.fan import ACK_EVERY, Acks, Fan, Publishing, Teller, shares
from cosmonapse.bench.load import PAYLOAD, Sample, drive, payload_of

from . import servers
from .system import Asked, System


def missing() -> str | None:
    """Return the packages to install; None when all are present."""
    return servers.absent("redis-server", "redis", "'redis[hiredis]'")


class _Publisher:
    """Publishes in pipelines, in order; `work` does it."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._waiting: list[tuple[str, bytes]] = []
        self._some = asyncio.Event()

    def publish(self, channel: str, body: bytes) -> None:
        """Publish soon."""
        self._waiting.append((channel, body))
        self._some.set()

    async def work(self) -> None:
        """Send the waiting messages, for ever."""
        while True:
            await self._some.wait()
            self._some.clear()
            now, self._waiting = self._waiting, []
            pipeline = self._client.pipeline(transaction=False)
            for channel, body in now:
                pipeline.publish(channel, body)
            await pipeline.execute()


def worker(connection: Connection, port: int, pair: int) -> None:
    """Echo."""
    run_loop(_worker(connection, port, pair))


async def _worker(connection: Connection, port: int, pair: int) -> None:
    from redis.asyncio import Redis

    async with Redis(port=port) as client, client.pubsub() as subscription:
        await subscription.subscribe(f"echo.{pair}")
        await subscription.get_message(timeout=5.0)

        publisher = _Publisher(client)

        async def serve() -> None:
            async for message in subscription.listen():
                task = msgpack.unpackb(message["data"])
                reply = {"id": task["id"], "output": task["input"]}
                publisher.publish(task["reply"], msgpack.packb(reply))

        connection.send(None)
        await while_asked(connection, together(serve(), publisher.work()))


def caller(connection: Connection, port: int, pair: int) -> None:
    """Call, as the parent asks."""
    run_loop(_caller(connection, port, pair))


async def _caller(connection: Connection, port: int, pair: int) -> None:
    from redis.asyncio import Redis

    numbers, waiting = itertools.count(), dict[int, asyncio.Future[Any]]()
    async with Redis(port=port) as client, client.pubsub() as subscription:
        await subscription.subscribe(f"reply.{pair}")
        await subscription.get_message(timeout=5.0)

        publisher = _Publisher(client)

        async def call(given: dict[str, Any]) -> Any:
            number = next(numbers)
            waiting[number] = asyncio.get_running_loop().create_future()
            task = {"id": number, "reply": f"reply.{pair}", "input": given}
            publisher.publish(f"echo.{pair}", msgpack.packb(task))
            return await waiting[number]

        async def read() -> None:
            async for message in subscription.listen():
                reply = msgpack.unpackb(message["data"])
                waiting.pop(reply["id"]).set_result(reply["output"])

        async def load(outstanding: int, seconds: float, payload_bytes: int = 100) -> Sample:
            return await drive(call, outstanding, seconds, payload_of(payload_bytes))

        connection.send(None)
        await while_asked(connection, together(read(), publisher.work()), load=load)


@contextmanager
def running_server() -> Iterator[int]:
    """Run `redis-server`, which keeps nothing on disk, and give its port."""
    port = servers.free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    command += ["--appendonly", "no", "--client-output-buffer-limit", "pubsub 0 0 0"]
    with servers.running(command, "Ready to accept connections"):
        yield port


@contextmanager
def running(pairs: int) -> Iterator[Sequence[Asked]]:
    """Run the server and pairs; give the callers."""
    with ExitStack() as stack:
        port = stack.enter_context(running_server())
        for pair in range(pairs):
            stack.enter_context(Child(worker, port, pair))
        yield [stack.enter_context(Child(caller, port, pair)) for pair in range(pairs)]


# -- fan-out ---------------------------------------------------------------------------------------


def publisher(connection: Connection, port: int, subscribers: int) -> None:
    """Publish, as the parent asks; say where the subscribers shall tell."""
    run_loop(_fan_publisher(connection, port, subscribers))


async def _fan_publisher(connection: Connection, port: int, subscribers: int) -> None:
    from redis.asyncio import Redis

    numbers = itertools.count()
    async with Redis(port=port) as client:
        acks, publisher = await Acks.opened(len(shares(subscribers))), _Publisher(client)

        async def publish_one() -> None:
            body = msgpack.packb({"id": next(numbers), "value": PAYLOAD})
            publisher.publish("fan", body)

        publishing = Publishing(acks, subscribers, publish_one)

        async def publish(seconds: float, burst: int = ACK_EVERY) -> Fan:
            return await publishing.for_(seconds, burst)

        connection.send(acks.port)
        await while_asked(connection, publisher.work(), publish=publish)


def subscriber(connection: Connection, port: int, acks: int, process: int, count: int) -> None:
    """Subscribe, with that many clients."""
    run_loop(_subscriber(connection, port, Teller(acks, process, count), count))


async def _subscriber(connection: Connection, port: int, teller: Teller, count: int) -> None:
    from redis.asyncio import Redis

    async with AsyncExitStack() as stack:
        reads = []
        for number in range(count):
            client = await stack.enter_async_context(Redis(port=port))
            subscription = await stack.enter_async_context(client.pubsub())
            await subscription.subscribe("fan")
            await subscription.get_message(timeout=5.0)
            reads.append(_read(subscription, teller, number))
        connection.send(None)
        await while_asked(connection, together(*reads))


async def _read(subscription: Any, teller: Teller, number: int) -> None:
    async for message in subscription.listen():
        if msgpack.unpackb(message["data"])["value"] != PAYLOAD:
            raise BenchError("something else was published")
        teller.had_one(number)


@contextmanager
def fanning(subscribers: int) -> Iterator[Sequence[Asked]]:
    """Run the server, a publisher and subscribers; give the publisher."""
    with ExitStack() as stack:
        port = stack.enter_context(running_server())
        publishing = stack.enter_context(Child(publisher, port, subscribers))
        for process, count in enumerate(shares(subscribers)):
            stack.enter_context(Child(subscriber, port, publishing.ready, process, count))
        yield [publishing]


SYSTEM = System("redis", "Redis pub/sub", missing, running, fanning)
