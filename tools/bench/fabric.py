"""The system under test as processes: a Synapse, a worker, a caller, watchers."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

import attrs

from cosmonapse import Axon, Dendrite, Signal, SignalType, connect_synapse
from zmq_transport import Proxy

from .children import BenchError, Child, answer, next_question
from .load import PAYLOAD, Sample, drive

_NAMESPACE = "bench"
_ECHO = "echo"
_SEEN_S = 10.0


async def _echo(input: Any, context: Any) -> Any:
    return input


def _echo_axon() -> Axon:
    return Axon(neuron_id=_ECHO, neuron_fn=_echo, capabilities=["echo"], concurrency=1024)


def _count_encodes() -> Counter[str]:
    """Count from now on what this process encodes, by the type of the Signal."""
    encodes: Counter[str] = Counter()
    encode = Signal.encode

    def counted(signal: Signal) -> bytes:
        encodes[signal.type.value] += 1
        return encode(signal)

    Signal.encode = counted  # type: ignore[method-assign]
    return encodes


# -- what runs in the processes --------------------------------------------------------------------


def synapse(connection: Connection) -> None:
    """Route; say the port when ready, and the counters whenever asked."""
    with Proxy() as proxy:
        connection.send(proxy.ports.directed)

        def obey() -> None:
            while next_question(connection) is not None:
                connection.send(dict(proxy.engine.counts))
            proxy.ask_to_stop()

        threading.Thread(target=obey, daemon=True).start()
        proxy.run()


def worker(connection: Connection, url: str, counting: bool) -> None:
    """Host the echo Neuron."""
    asyncio.run(_worker(connection, url, counting))


async def _worker(connection: Connection, url: str, counting: bool) -> None:
    encodes = _count_encodes() if counting else Counter()
    dendrite = Dendrite(
        synapse=await connect_synapse(url), namespace=_NAMESPACE, dendrite_id="worker"
    )
    dendrite.attach_axon(_echo_axon())

    async def encoded() -> dict[str, int]:
        return dict(encodes)

    async with dendrite:
        connection.send(None)
        await answer(connection, {"encoded": encoded})


def caller(connection: Connection, url: str, counting: bool) -> None:
    """Call, as the parent asks."""
    asyncio.run(_caller(connection, url, counting))


async def _caller(connection: Connection, url: str, counting: bool) -> None:
    encodes = _count_encodes() if counting else Counter()
    dendrite = Dendrite(
        synapse=await connect_synapse(url), namespace=_NAMESPACE, dendrite_id="caller"
    )

    async def call(given: dict[str, Any]) -> None:
        reply = await dendrite.dispatch_and_wait(neuron=_ECHO, input=given)
        if reply.type is not SignalType.AGENT_OUTPUT:
            raise BenchError(f"the call failed: {reply.payload}")

    async def load(outstanding: int, seconds: float) -> Sample:
        return await drive(call, outstanding, seconds)

    async def calls(count: int) -> None:
        for _ in range(count):
            await call(PAYLOAD)

    async def to_nobody(count: int) -> list[float]:
        return [await _to_nobody(dendrite) for _ in range(count)]

    async def encoded() -> dict[str, int]:
        return dict(encodes)

    async with dendrite:
        connection.send(None)
        verbs = {"load": load, "calls": calls, "to_nobody": to_nobody, "encoded": encoded}
        await answer(connection, verbs)


async def _to_nobody(dendrite: Dendrite) -> float:
    begin_s = time.perf_counter()
    reply = await dendrite.dispatch_and_wait(neuron="nobody", input=PAYLOAD)
    took_s = time.perf_counter() - begin_s
    if reply.payload.get("code") != "NO_SUCH_NEURON":
        raise BenchError(f"NO_SUCH_NEURON was expected: {reply.payload}")
    return took_s


def watcher(connection: Connection, url: str, types: list[str]) -> None:
    """Watch those types and say how many Signals came."""
    asyncio.run(_watcher(connection, url, types))


async def _watcher(connection: Connection, url: str, types: list[str]) -> None:
    seen, arrived = 0, asyncio.Event()
    dendrite = Dendrite(
        synapse=await connect_synapse(url), namespace=_NAMESPACE, dendrite_id="watcher"
    )

    @dendrite.on_signal(*map(SignalType, types))
    async def look(signal: Signal) -> None:
        nonlocal seen
        seen += 1
        arrived.set()

    async def seen_all(count: int) -> int:
        """Wait until `count` Signals came, then say how many came so far."""
        async with asyncio.timeout(_SEEN_S):
            while seen < count:
                arrived.clear()
                await arrived.wait()
        return seen

    async with dendrite:
        connection.send(None)
        await answer(connection, {"seen_all": seen_all})


def starter(connection: Connection, url: str) -> None:
    """Start Dendrites, one after the other."""
    asyncio.run(_starter(connection, url))


async def _starter(connection: Connection, url: str) -> None:
    async def starts(count: int) -> list[float]:
        return [await _start(url) for _ in range(count)]

    connection.send(None)
    await answer(connection, {"starts": starts})


async def _start(url: str) -> float:
    dendrite = Dendrite(
        synapse=await connect_synapse(url), namespace=_NAMESPACE, dendrite_id="starter"
    )
    dendrite.attach_axon(_echo_axon())

    @dendrite.on_agent_output
    @dendrite.on_error_signal
    async def look(signal: Signal) -> None:
        return

    begin_s = time.perf_counter()
    await dendrite.start()
    took_s = time.perf_counter() - begin_s
    await dendrite.stop()
    return took_s


# -- what the parent holds -------------------------------------------------------------------------


@attrs.frozen
class Fabric:
    """A Synapse, a worker and a caller, each in a process of its own."""

    url: str
    synapse: Child
    worker: Child
    caller: Child


@contextmanager
def running_synapse() -> Iterator[tuple[Child, str]]:
    """Run a Synapse and give it and its URL."""
    with Child(synapse) as routing:
        yield routing, f"cosmo://127.0.0.1:{routing.ready}"


@contextmanager
def running(*, counting: bool = False) -> Iterator[Fabric]:
    """Run all three; with `counting`, worker and caller count what they encode."""
    with (
        running_synapse() as (routing, url),
        Child(worker, url, counting) as working,
        Child(caller, url, counting) as calling,
    ):
        yield Fabric(url, routing, working, calling)
