"""The ends of a measurement on a fabric, each in a separate process."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from itertools import pairwise
from multiprocessing.connection import Connection
from typing import Any

import attrs

from ..axon import Axon
from ..dendrite import Dendrite
from ..signals import Signal, SignalType
from ..synapse import connect_synapse
from .children import BenchError, answer, run_loop
from .fan import Acks, Fan, Publishing, Teller, shares
from .load import PAYLOAD, Sample, drive, payload_of

Verbs = Mapping[str, Callable[..., Awaitable[Any]]]

_TOKEN = " token"
# Wide enough that a call measures the round trip, and not a queue of the worker.
_CONCURRENCY, _MAX_QUEUED = 1024, 100_000


def echo_id(pair: int = 0) -> str:
    """Return the id of the Neuron that echoes for a pair."""
    return f"bench-echo-{pair}"


def streamer_id(pair: int = 0) -> str:
    """Return the id of the Neuron that streams for a pair."""
    return f"bench-streamer-{pair}"


async def echo(input: Any, context: Any) -> Any:
    """Return the input."""
    return input


async def _stream(input: Any, context: Any) -> AsyncIterator[str]:
    for _ in range(input["count"]):
        yield _TOKEN


async def joined(url: str, namespace: str, name: str) -> Dendrite:
    """Return a Dendrite that is not started yet.

    Raises:
        SynapseUnreachable: No Synapse answers there.
    """
    return Dendrite(
        synapse=await connect_synapse(url), namespace=namespace, dendrite_id=f"bench-{name}"
    )


# -- calls -----------------------------------------------------------------------------------------


def worker(connection: Connection, url: str, namespace: str, pair: int = 0) -> None:
    """Host the echo Neuron and one that streams."""
    run_loop(serve(connection, url, namespace, pair))


async def serve(
    connection: Connection, url: str, namespace: str, pair: int = 0, verbs: Verbs | None = None
) -> None:
    """Host them; `verbs` are answered beside that."""
    dendrite = await joined(url, namespace, f"worker-{pair}")
    dendrite.attach_axon(
        Axon(
            neuron_id=echo_id(pair),
            neuron_fn=echo,
            concurrency=_CONCURRENCY,
            max_queued=_MAX_QUEUED,
        )
    )
    dendrite.attach_axon(Axon(neuron_id=streamer_id(pair), neuron_fn=_stream))
    async with dendrite:
        connection.send(None)
        await answer(connection, verbs or {})


def caller(connection: Connection, url: str, namespace: str, pair: int = 0) -> None:
    """Call, as the parent asks."""
    run_loop(_caller(connection, url, namespace, pair))


async def _caller(connection: Connection, url: str, namespace: str, pair: int) -> None:
    dendrite = await joined(url, namespace, f"caller-{pair}")
    async with dendrite:
        connection.send(None)
        await answer(connection, calling(dendrite, pair))


def calling(dendrite: Dendrite, pair: int = 0) -> Verbs:
    """Return the verbs of a caller."""
    neuron = echo_id(pair)

    async def call(given: dict[str, Any]) -> None:
        reply = await dendrite.dispatch_and_wait(neuron=neuron, input=given)
        if reply.type is not SignalType.AGENT_OUTPUT:
            raise BenchError(f"the call failed: {reply.payload}")

    async def load(outstanding: int, seconds: float, payload_bytes: int = 100) -> Sample:
        return await drive(call, outstanding, seconds, payload_of(payload_bytes))

    async def stream(count: int) -> Sample:
        return await _read_stream(dendrite, streamer_id(pair), count)

    return {"load": load, "stream": stream}


async def _read_stream(dendrite: Dendrite, neuron: str, count: int) -> Sample:
    """Read one stream of that many tokens; the times are those between two tokens."""
    clock, came_s = time.perf_counter, list[float]()
    begin_s = clock()
    async with await dendrite.dispatch(neuron=neuron, input={"count": count}) as pathway:
        async for text in pathway.thoughts():
            came_s.append(clock())
            if text != _TOKEN:
                raise BenchError(f"a token came as {text!r}")
        output = (await pathway.outcome()).output
    if len(came_s) != count or output["response"] != _TOKEN * count:
        raise BenchError(f"{count} tokens were sent and {len(came_s)} came")
    between_s = [later_s - sooner_s for sooner_s, later_s in pairwise(came_s)]
    return attrs.evolve(Sample.of(between_s, came_s[-1] - begin_s), calls=count)


# -- fan-out ---------------------------------------------------------------------------------------


def publisher(connection: Connection, url: str, namespace: str, subscribers: int) -> None:
    """Publish MEMORY_APPEND Signals, as the parent asks; send it the port for acknowledgements."""
    run_loop(_publisher(connection, url, namespace, subscribers))


async def _publisher(connection: Connection, url: str, namespace: str, subscribers: int) -> None:
    acks = await Acks.opened(len(shares(subscribers)))
    dendrite = await joined(url, namespace, "publisher")

    async def publish_one() -> None:
        await dendrite.emit_memory_append(key="bench", value=PAYLOAD)

    publishing = Publishing(acks, subscribers, publish_one)

    async def publish(seconds: float) -> Fan:
        return await publishing.for_(seconds)

    async with dendrite:
        connection.send(acks.port)
        await answer(connection, {"publish": publish})


def subscribers(
    connection: Connection, url: str, namespace: str, port: int, process: int, count: int
) -> None:
    """Subscribe, with that many Dendrites."""
    run_loop(_subscribers(connection, url, namespace, Teller(port, process, count), count))


async def _subscribers(
    connection: Connection, url: str, namespace: str, teller: Teller, count: int
) -> None:
    async with AsyncExitStack() as stack:
        for number in range(count):
            dendrite = await joined(url, namespace, f"subscriber-{number}")
            _subscribe(dendrite, teller, number)
            await stack.enter_async_context(dendrite)
        connection.send(None)
        await answer(connection, {})


def _subscribe(dendrite: Dendrite, teller: Teller, number: int) -> None:
    @dendrite.on_memory_append
    async def had_one(signal: Signal) -> None:
        if signal.payload["value"] != PAYLOAD:
            raise BenchError(f"something else was published: {signal.payload}")
        teller.had_one(number)
