"""NATS: request and reply, as the pages of nats-py show it, through a local `nats-server`.

`Client.request` is its fastest way: one subscription for all replies of a client, a future for
each request. In the first system the worker answers in the callback of its subscription: one
request after the other, so that one that waits stops all after it. In the second it
has a task for each request, as a worker that waits for a model needs and as the fabric always has.
No deadline inside the server, no account of open tasks, no cancellation; a request
without a worker is reported at once, as ours.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import ssl
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgpack

from cosmonapse.bench.children import BenchError, Child, answer, run_loop
from cosmonapse.bench.fan import ACK_EVERY, Acks, Fan, Publishing, Teller, shares
from cosmonapse.bench.load import PAYLOAD, Sample, drive, payload_of
from cosmonapse.bench.streams import reading, tokens

from . import servers
from .system import Asked, System

_TIMEOUT_S = 30.0
_LARGEST_BYTES = 32 << 20
CERTIFICATE, SEED, SECURED = "server.pem", "user.nk", "secured.conf"
"""The files in the folder of a secured server; `SECURED` is a part of its configuration."""


def missing() -> str | None:
    """Return the packages to install; None when all are present."""
    return servers.absent("nats-server", "nats", "nats-py")


async def connected(url: str, folder: str | None = None) -> Any:
    """Return a client; with the folder of a secured server, one that is let in there."""
    import nats

    if folder is None:
        return await nats.connect(url)
    trusted = ssl.create_default_context(cafile=str(Path(folder) / CERTIFICATE))
    return await nats.connect(url, tls=trusted, nkeys_seed=str(Path(folder) / SEED))


def worker(
    connection: Connection, url: str, pair: int, with_tasks: bool, folder: str | None = None
) -> None:
    """Echo."""
    run_loop(_worker(connection, url, pair, with_tasks, folder))


async def _worker(
    connection: Connection, url: str, pair: int, with_tasks: bool, folder: str | None
) -> None:
    client, busy = await connected(url, folder), set[asyncio.Task[None]]()

    async def reply(message: Any) -> None:
        task = msgpack.unpackb(message.data)
        await message.respond(msgpack.packb({"id": task["id"], "output": task["input"]}))

    async def reply_in_task(message: Any) -> None:
        task = asyncio.create_task(reply(message))
        busy.add(task)
        task.add_done_callback(busy.discard)

    take = reply_in_task if with_tasks else reply
    await client.subscribe(f"echo.{pair}", cb=take, pending_bytes_limit=1 << 30)
    await client.flush()
    connection.send(None)
    await answer(connection, {})
    await client.close()


def caller(connection: Connection, url: str, pair: int, folder: str | None = None) -> None:
    """Call, as the parent asks."""
    run_loop(_caller(connection, url, pair, folder))


async def _caller(connection: Connection, url: str, pair: int, folder: str | None) -> None:
    client, numbers = await connected(url, folder), itertools.count()
    subject = f"echo.{pair}"

    async def call(given: dict[str, Any]) -> Any:
        body = msgpack.packb({"id": next(numbers), "input": given})
        message = await client.request(subject, body, timeout=_TIMEOUT_S)
        return msgpack.unpackb(message.data)["output"]

    async def load(outstanding: int, seconds: float, payload_bytes: int = 100) -> Sample:
        return await drive(call, outstanding, seconds, payload_of(payload_bytes))

    connection.send(None)
    await answer(connection, {"load": load})
    await client.close()


@contextmanager
def running_server(folder: str | None = None) -> Iterator[tuple[int, str]]:
    """Run `nats-server` and give its pid and its URL.

    Args:
        folder: Where the certificate and the user key of a secured one are; see `secured`.
    """
    port = servers.free_port()
    more = "" if folder is None else (Path(folder) / SECURED).read_text()
    with tempfile.TemporaryDirectory() as own:
        settings = Path(own) / "nats.conf"
        settings.write_text(
            f"listen: 127.0.0.1:{port}\n"
            f"max_payload: {_LARGEST_BYTES}\nmax_pending: {8 * _LARGEST_BYTES}\n{more}"
        )
        command = ["nats-server", "-c", str(settings)]
        with servers.running(command, "Server is ready") as pid:
            yield pid, f"nats://127.0.0.1:{port}"


@contextmanager
def running(
    pairs: int, with_tasks: bool = False, folder: str | None = None
) -> Iterator[Sequence[Asked]]:
    """Run the server and pairs; give the callers."""
    with ExitStack() as stack:
        _, url = stack.enter_context(running_server(folder))
        for pair in range(pairs):
            stack.enter_context(Child(worker, url, pair, with_tasks, folder))
        yield [stack.enter_context(Child(caller, url, pair, folder)) for pair in range(pairs)]


# -- fan-out ---------------------------------------------------------------------------------------


def publisher(connection: Connection, url: str, subscribers: int) -> None:
    """Publish, as the parent asks; say where the subscribers shall tell."""
    run_loop(_publisher(connection, url, subscribers))


async def _publisher(connection: Connection, url: str, subscribers: int) -> None:
    import nats

    client, acks, numbers = (
        await nats.connect(url),
        await Acks.opened(len(shares(subscribers))),
        itertools.count(),
    )

    async def publish_one() -> None:
        await client.publish("fan", msgpack.packb({"id": next(numbers), "value": PAYLOAD}))

    publishing = Publishing(acks, subscribers, publish_one)

    async def publish(seconds: float, burst: int = ACK_EVERY) -> Fan:
        return await publishing.for_(seconds, burst)

    connection.send(acks.port)
    await answer(connection, {"publish": publish})
    await client.close()


def subscriber(connection: Connection, url: str, port: int, process: int, count: int) -> None:
    """Subscribe, with that many clients."""
    run_loop(_subscriber(connection, url, Teller(port, process, count), count))


async def _subscriber(connection: Connection, url: str, teller: Teller, count: int) -> None:
    import nats

    clients = [await nats.connect(url) for _ in range(count)]
    for number, client in enumerate(clients):
        await client.subscribe("fan", cb=_counting(teller, number))
        await client.flush()
    connection.send(None)
    await answer(connection, {})
    for client in clients:
        await client.close()


def _counting(teller: Teller, number: int) -> Any:
    async def had_one(message: Any) -> None:
        if msgpack.unpackb(message.data)["value"] != PAYLOAD:
            raise BenchError("something else was published")
        teller.had_one(number)

    return had_one


@contextmanager
def fanning(subscribers: int) -> Iterator[Sequence[Asked]]:
    """Run the server, a publisher and subscribers; give the publisher."""
    with ExitStack() as stack:
        _, url = stack.enter_context(running_server())
        publishing = stack.enter_context(Child(publisher, url, subscribers))
        for process, count in enumerate(shares(subscribers)):
            stack.enter_context(Child(subscriber, url, publishing.ready, process, count))
        yield [publishing]


# -- streams ---------------------------------------------------------------------------------------


def streamer(connection: Connection, url: str) -> None:
    """Stream: a publish for each token, to the inbox that the request names."""
    run_loop(_streamer(connection, url))


async def _streamer(connection: Connection, url: str) -> None:
    import nats

    client, busy = await nats.connect(url), set[asyncio.Task[None]]()

    async def stream(message: Any) -> None:
        given = msgpack.unpackb(message.data)
        async for text in tokens(given):
            await client.publish(message.reply, msgpack.packb({"delta": text}))
        await client.publish(message.reply, msgpack.packb({"ended": True}))

    async def in_task(message: Any) -> None:
        task = asyncio.create_task(stream(message))
        busy.add(task)
        task.add_done_callback(busy.discard)

    await client.subscribe("stream", cb=in_task)
    await client.flush()
    connection.send(None)
    await answer(connection, {})
    await client.close()


def reader(connection: Connection, url: str) -> None:
    """Read streams, as the parent asks."""
    run_loop(_reader(connection, url))


async def _reader(connection: Connection, url: str) -> None:
    import nats

    client = await nats.connect(url)

    async def read(given: dict[str, Any]) -> AsyncIterator[str]:
        """Yield the tokens of one stream: a callback puts them into a queue."""
        arrived: asyncio.Queue[Any] = asyncio.Queue()

        async def on_token(message: Any) -> None:
            arrived.put_nowait(msgpack.unpackb(message.data))

        inbox = client.new_inbox()
        subscription = await client.subscribe(inbox, cb=on_token, pending_bytes_limit=1 << 30)
        await client.publish("stream", msgpack.packb(given), reply=inbox)
        while "delta" in (token := await arrived.get()):
            yield token["delta"]
        await subscription.unsubscribe()

    connection.send(None)
    await answer(connection, reading(read))
    await client.close()


@contextmanager
def streaming() -> Iterator[Sequence[Asked]]:
    """Run the server, a worker that streams and a caller; give the caller."""
    with ExitStack() as stack:
        _, url = stack.enter_context(running_server())
        stack.enter_context(Child(streamer, url))
        yield [stack.enter_context(Child(reader, url))]


SYSTEM = System("nats", "nats-py", missing, running, fanning, streaming)
WITH_TASKS = System(
    "nats_tasks", "nats-py, tasks", missing, functools.partial(running, with_tasks=True)
)
