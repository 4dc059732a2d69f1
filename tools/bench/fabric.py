"""The system under test as processes: a Synapse, a worker, a caller, watchers."""

from __future__ import annotations

import asyncio
import functools
import gc
import os
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

import attrs

from cosmonapse import Axon, Dendrite, Signal, SignalType, kernel
from cosmonapse.bench import ends
from cosmonapse.bench.children import BenchError, Child, answer, next_question, rss_kib, run_loop
from cosmonapse.bench.load import PAYLOAD
from cosmonapse.synapse.carriers import chosen_carrier
from zmq_transport import Proxy

NAMESPACE = "bench"
_UNUSED = (SignalType.PLAN, SignalType.CRITIQUE, SignalType.CONSENSUS, SignalType.BID)
_SEEN_S = 10.0


def _count_encodes() -> Counter[str]:
    """Count the Signals that this process encodes from now on, by type."""
    encodes: Counter[str] = Counter()
    encode = Signal.encode

    def counted(signal: Signal) -> bytes:
        encodes[signal.type.value] += 1
        return encode(signal)

    Signal.encode = counted  # type: ignore[method-assign]
    # Of a plain call and of its output the bytes are made without a Signal.
    for name, type_ in (("encode_task", "TASK"), ("encode_reply", "AGENT_OUTPUT")):
        setattr(kernel, name, _counting(getattr(kernel, name), encodes, type_))
    return encodes


def _counting(function: Any, encodes: Counter[str], type_: str) -> Any:
    @functools.wraps(function)
    def counted(*arguments: Any) -> Any:
        encodes[type_] += 1
        return function(*arguments)

    return counted


# -- inside the processes --------------------------------------------------------------------------


def synapse(connection: Connection) -> None:
    """Route; say the port when ready, and the counters whenever asked."""
    with Proxy(carrier=chosen_carrier()) as proxy:
        connection.send(proxy.ports.directed)

        def obey() -> None:
            while next_question(connection) is not None:
                connection.send(dict(proxy.engine.counts))
            proxy.ask_to_stop()

        threading.Thread(target=obey, daemon=True).start()
        proxy.run()


def worker(connection: Connection, url: str, counting: bool) -> None:
    """Host the echo Neuron."""
    encodes = _count_encodes() if counting else Counter()
    run_loop(ends.serve(connection, url, NAMESPACE, verbs={"encoded": _told(encodes)}))


def caller(connection: Connection, url: str, counting: bool, handlers: int = 0) -> None:
    """Call, as the parent asks; with a number of handlers that nothing triggers."""
    run_loop(_caller(connection, url, counting, handlers))


async def _caller(connection: Connection, url: str, counting: bool, handlers: int) -> None:
    encodes = _count_encodes() if counting else Counter()
    dendrite = await ends.joined(url, NAMESPACE, "caller")
    _decorate(dendrite, handlers)

    async def calls(count: int) -> None:
        for _ in range(count):
            await dendrite.ask(neuron=ends.echo_id(), input=PAYLOAD)

    async def to_nobody(count: int) -> list[float]:
        return [await _to_nobody(dendrite) for _ in range(count)]

    async def pathways(count: int) -> int:
        return await _open_and_settle(dendrite, count)

    async with dendrite:
        connection.send(None)
        more = {"calls": calls, "to_nobody": to_nobody, "pathways": pathways}
        await answer(connection, {**ends.calling(dendrite), **more, "encoded": _told(encodes)})


def _told(encodes: Counter[str]) -> Callable[[], Awaitable[dict[str, int]]]:
    async def encoded() -> dict[str, int]:
        return dict(encodes)

    return encoded


def _decorate(dendrite: Dendrite, handlers: int) -> None:
    for number in range(handlers):
        dendrite.on_signal(_UNUSED[number % len(_UNUSED)])(_look)


async def _look(signal: Signal) -> None:
    raise BenchError(f"nothing should trigger this handler: {signal}")


async def _open_and_settle(dendrite: Dendrite, count: int) -> int:
    """Have that many Pathways open at once, settle them, and return the memory that is left."""
    opened = [await dendrite.dispatch(neuron=ends.echo_id(), input=PAYLOAD) for _ in range(count)]
    for pathway in opened:
        if (await pathway.outcome()).output != PAYLOAD:
            raise BenchError(f"{pathway} ended with something else")
    del opened, pathway
    gc.collect()
    return rss_kib(os.getpid())


async def _to_nobody(dendrite: Dendrite) -> float:
    begin_s = time.perf_counter()
    reply = await dendrite.dispatch_and_wait(neuron="nobody", input=PAYLOAD)
    took_s = time.perf_counter() - begin_s
    if reply.payload.get("code") != "NO_SUCH_NEURON":
        raise BenchError(f"NO_SUCH_NEURON was expected: {reply.payload}")
    return took_s


def watcher(connection: Connection, url: str, types: list[str]) -> None:
    """Watch those types and say how many Signals came."""
    run_loop(_watcher(connection, url, types))


async def _watcher(connection: Connection, url: str, types: list[str]) -> None:
    seen, arrived = 0, asyncio.Event()
    dendrite = await ends.joined(url, NAMESPACE, "watcher")

    @dendrite.on_signal(*map(SignalType, types))
    async def poll_soon(signal: Signal) -> None:
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
    run_loop(_starter(connection, url))


async def _starter(connection: Connection, url: str) -> None:
    async def starts(count: int, axons: int, handlers: int) -> list[float]:
        return [await _start(url, axons, handlers) for _ in range(count)]

    connection.send(None)
    await answer(connection, {"starts": starts})


async def _start(url: str, axons: int, handlers: int) -> float:
    dendrite = await ends.joined(url, NAMESPACE, "starter")
    for number in range(axons):
        dendrite.attach_axon(Axon(neuron_id=ends.echo_id(number), neuron_fn=ends.echo))
    for event in (dendrite.on_agent_output, dendrite.on_error_signal)[:handlers]:
        event(_unused)
    begin_s = time.perf_counter()
    await dendrite.start()
    took_s = time.perf_counter() - begin_s
    await dendrite.stop()
    return took_s


async def _unused(signal: Signal) -> None:
    return


# -- inside the parent ----------------------------------------------------------------------------


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
    """Run all three; with `counting`, worker and caller count the Signals that they encode."""
    with (
        running_synapse() as (routing, url),
        Child(worker, url, counting) as working,
        Child(caller, url, counting) as calling,
    ):
        yield Fabric(url, routing, working, calling)
