"""The baseline: the same three processes as people write them by hand on `zmq.asyncio`.

DEALER - ROUTER / ROUTER - DEALER, msgpack of a dict with an id, a task for each message that the
worker gets, a future for each call. No deadlines, no bookkeeping, no second plane: nothing but the
way there and back.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from typing import Any

import msgpack
import zmq
import zmq.asyncio

from cosmonapse.bench.children import (
    BenchError,
    Child,
    answer,
    next_question,
    run_loop,
    together,
    while_asked,
)
from cosmonapse.bench.fan import ACK_EVERY, Acks, Fan, Publishing, Teller, shares
from cosmonapse.bench.load import PAYLOAD, Sample, drive, payload_of

from .system import SETTLES_S, Asked, System

_HOST = "tcp://127.0.0.1"
_HIGH_WATER = 10_000


def proxy(connection: Connection) -> None:
    """Route; say both ports when ready."""
    run_loop(_proxy(connection))


async def _proxy(connection: Connection) -> None:
    with zmq.asyncio.Context() as context:
        front, back = context.socket(zmq.ROUTER), context.socket(zmq.ROUTER)
        with front, back:
            front.linger = back.linger = 0
            ports = [socket.bind_to_random_port(_HOST) for socket in (front, back)]
            connection.send(ports)
            await while_asked(connection, _route(front, back))


async def _route(front: zmq.asyncio.Socket, back: zmq.asyncio.Socket) -> None:
    """Route between pairs; the first message of each peer names its pair."""
    workers: dict[bytes, bytes] = {}
    meant: dict[bytes, bytes] = {}

    async def there() -> None:
        while True:
            caller_id, body = await front.recv_multipart()
            worker_id = meant.get(caller_id)
            if worker_id is None:
                meant[caller_id] = workers[body]
            else:
                await back.send_multipart([worker_id, caller_id, body])

    async def home() -> None:
        while True:
            worker_id, caller_id, *body = await back.recv_multipart()
            if body:
                await front.send_multipart([caller_id, *body])
            else:
                workers[caller_id] = worker_id
                await back.send_multipart([worker_id, b"", b"welcome"])

    await asyncio.gather(there(), home())


def worker(connection: Connection, port: int, pair: int) -> None:
    """Echo."""
    run_loop(_worker(connection, port, pair))


async def _worker(connection: Connection, port: int, pair: int) -> None:
    with zmq.asyncio.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.linger = 0
        socket.connect(f"{_HOST}:{port}")
        await socket.send(b"%d" % pair)
        await socket.recv_multipart()  # the proxy knows it now
        connection.send(None)
        await while_asked(connection, _serve(socket))


async def _serve(socket: zmq.asyncio.Socket) -> None:
    busy: set[asyncio.Task[None]] = set()

    async def reply(caller_id: bytes, body: bytes) -> None:
        task = msgpack.unpackb(body)
        output = await _echo(task["input"])
        await socket.send_multipart(
            [caller_id, msgpack.packb({"id": task["id"], "output": output})]
        )

    while True:
        task = asyncio.create_task(reply(*await socket.recv_multipart()))
        busy.add(task)
        task.add_done_callback(busy.discard)


async def _echo(given: Any) -> Any:
    return given


def caller(connection: Connection, port: int, pair: int) -> None:
    """Call, as the parent asks."""
    run_loop(_caller(connection, port, pair))


async def _caller(connection: Connection, port: int, pair: int) -> None:
    numbers = itertools.count()
    waiting: dict[int, asyncio.Future[Any]] = {}
    with zmq.asyncio.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.linger = 0
        socket.connect(f"{_HOST}:{port}")

        async def call(given: dict[str, Any]) -> Any:
            number = next(numbers)
            waiting[number] = asyncio.get_running_loop().create_future()
            await socket.send(msgpack.packb({"id": number, "input": given}))
            return await waiting[number]

        async def read() -> None:
            while True:
                reply = msgpack.unpackb(await socket.recv())
                waiting.pop(reply["id"]).set_result(reply["output"])

        async def load(outstanding: int, seconds: float, payload_bytes: int = 100) -> Sample:
            return await drive(call, outstanding, seconds, payload_of(payload_bytes))

        await socket.send(b"%d" % pair)
        connection.send(None)
        await while_asked(connection, read(), load=load)


def missing() -> str | None:
    """Return None: nothing needs to be installed."""
    return None


@contextmanager
def running(pairs: int) -> Iterator[Sequence[Asked]]:
    """Run the proxy and pairs; give the callers."""
    with ExitStack() as stack:
        front, back = stack.enter_context(Child(proxy)).ready
        for pair in range(pairs):
            stack.enter_context(Child(worker, back, pair))
        yield [stack.enter_context(Child(caller, front, pair)) for pair in range(pairs)]


# -- fan-out: PUB, `zmq.proxy` between XSUB and XPUB, SUB ------------------------------------------


def forwarder(connection: Connection) -> None:
    """Forward published messages; print both ports when ready."""
    context = zmq.Context()
    front, back = context.socket(zmq.XSUB), context.socket(zmq.XPUB)
    for each in (front, back):
        each.linger = 0
        each.set_hwm(_HIGH_WATER)
    ports = [each.bind_to_random_port(_HOST) for each in (front, back)]
    threading.Thread(target=zmq.proxy, args=(front, back), daemon=True).start()
    connection.send(ports)
    next_question(connection)
    os._exit(0)  # a proxy of libzmq goes on for ever


def publisher(connection: Connection, port: int, subscribers: int) -> None:
    """Publish, as the parent asks; say where the subscribers shall tell."""
    run_loop(_publisher(connection, port, subscribers))


async def _publisher(connection: Connection, port: int, subscribers: int) -> None:
    acks, numbers = await Acks.opened(len(shares(subscribers))), itertools.count()
    with zmq.asyncio.Context() as context, context.socket(zmq.PUB) as socket:
        socket.linger = 0
        socket.set_hwm(_HIGH_WATER)
        socket.connect(f"{_HOST}:{port}")

        async def publish_one() -> None:
            await socket.send(msgpack.packb({"id": next(numbers), "value": PAYLOAD}))

        publishing = Publishing(acks, subscribers, publish_one)

        async def publish(seconds: float, burst: int = ACK_EVERY) -> Fan:
            return await publishing.for_(seconds, burst)

        connection.send(acks.port)
        await answer(connection, {"publish": publish})


def subscriber(connection: Connection, port: int, acks: int, process: int, count: int) -> None:
    """Subscribe, with that many sockets."""
    run_loop(_subscriber(connection, port, Teller(acks, process, count), count))


async def _subscriber(connection: Connection, port: int, teller: Teller, count: int) -> None:
    with zmq.asyncio.Context() as context, ExitStack() as stack:
        reads = []
        for number in range(count):
            socket = stack.enter_context(context.socket(zmq.SUB))
            socket.linger = 0
            socket.set_hwm(_HIGH_WATER)
            socket.subscribe(b"")
            socket.connect(f"{_HOST}:{port}")
            reads.append(_read(socket, teller, number))
        connection.send(None)
        await while_asked(connection, together(*reads))


async def _read(socket: zmq.asyncio.Socket, teller: Teller, number: int) -> None:
    while True:
        if msgpack.unpackb(await socket.recv())["value"] != PAYLOAD:
            raise BenchError("something else was published")
        teller.had_one(number)


@contextmanager
def fanning(subscribers: int) -> Iterator[Sequence[Asked]]:
    """Run the forwarder, a publisher and subscribers; give the publisher."""
    with ExitStack() as stack:
        front, back = stack.enter_context(Child(forwarder)).ready
        publishing = stack.enter_context(Child(publisher, front, subscribers))
        for process, count in enumerate(shares(subscribers)):
            stack.enter_context(Child(subscriber, back, publishing.ready, process, count))
        time.sleep(SETTLES_S)
        yield [publishing]


SYSTEM = System("plain", "zmq.asyncio", missing, running, fanning)
