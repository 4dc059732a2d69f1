"""The baseline: the same three processes as people write them by hand on `zmq.asyncio`.

DEALER - ROUTER / ROUTER - DEALER, msgpack of a dict with an id, a task for each message that the
worker gets, a future for each call. No deadlines, no bookkeeping, no second plane: nothing but the
way there and back.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any

import msgpack
import zmq
import zmq.asyncio

from .children import Child, answer
from .load import Sample, drive

_HOST = "tcp://127.0.0.1"


def proxy(connection: Connection) -> None:
    """Route; say both ports when ready."""
    asyncio.run(_proxy(connection))


async def _proxy(connection: Connection) -> None:
    with zmq.asyncio.Context() as context:
        front, back = context.socket(zmq.ROUTER), context.socket(zmq.ROUTER)
        with front, back:
            front.linger = back.linger = 0
            ports = [socket.bind_to_random_port(_HOST) for socket in (front, back)]
            connection.send(ports)
            await _while_asked(connection, _route(front, back))


async def _route(front: zmq.asyncio.Socket, back: zmq.asyncio.Socket) -> None:
    worker_id, _ = await back.recv_multipart()

    async def there() -> None:
        while True:
            caller_id, body = await front.recv_multipart()
            await back.send_multipart([worker_id, caller_id, body])

    async def home() -> None:
        while True:
            _, caller_id, body = await back.recv_multipart()
            await front.send_multipart([caller_id, body])

    await asyncio.gather(there(), home())


def worker(connection: Connection, port: int) -> None:
    """Echo."""
    asyncio.run(_worker(connection, port))


async def _worker(connection: Connection, port: int) -> None:
    with zmq.asyncio.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.linger = 0
        socket.connect(f"{_HOST}:{port}")
        await socket.send(b"ready")
        connection.send(None)
        await _while_asked(connection, _serve(socket))


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


def caller(connection: Connection, port: int) -> None:
    """Call, as the parent asks."""
    asyncio.run(_caller(connection, port))


async def _caller(connection: Connection, port: int) -> None:
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

        async def load(outstanding: int, seconds: float) -> Sample:
            return await drive(call, outstanding, seconds)

        connection.send(None)
        await _while_asked(connection, read(), load=load)


async def _while_asked(
    connection: Connection, work: Coroutine[Any, Any, None], **verbs: Any
) -> None:
    """Do `work` for as long as the parent has questions."""
    task = asyncio.create_task(work)
    await answer(connection, verbs)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@contextmanager
def running() -> Iterator[Child]:
    """Run all three and give the caller."""
    with (
        Child(proxy) as routing,
        Child(worker, routing.ready[1]),
        Child(caller, routing.ready[0]) as calling,
    ):
        yield calling
