"""The ends of a measurement on a fabric, each in a separate process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from multiprocessing.connection import Connection
from typing import Any

from ..axon import Axon
from ..dendrite import Dendrite
from ..signals import Signal, SignalType
from ..synapse import connect_synapse
from .children import BenchError, answer, run_loop
from .fan import ACK_EVERY, Acks, Fan, Publishing, Teller, shares
from .load import PAYLOAD, Sample, drive, payload_of
from .streams import Read, reading, tokens

Verbs = Mapping[str, Callable[..., Awaitable[Any]]]

# Wide enough that a call measures the round trip, and not a queue of the worker.
_CONCURRENCY, _MAX_QUEUED = 1024, 100_000
_GREETING = "is this heard?"


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
    async for text in tokens(input):
        yield text


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
    dendrite.attach_axon(
        Axon(neuron_id=streamer_id(pair), neuron_fn=_stream, concurrency=_CONCURRENCY)
    )
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

    return {"load": load, **reading(_reader(dendrite, streamer_id(pair)))}


def _reader(dendrite: Dendrite, neuron: str) -> Read:
    async def read(given: dict[str, Any]) -> AsyncIterator[str]:
        said: list[str] = []
        async with await dendrite.dispatch(neuron=neuron, input=given) as pathway:
            async for text in pathway.thoughts():
                said.append(text)
                yield text
            output = (await pathway.outcome()).output
        if output["response"] != "".join(said):
            raise BenchError("the output is not what the tokens say")

    return read


# -- fan-out ---------------------------------------------------------------------------------------


def publisher(connection: Connection, url: str, namespace: str, subscribers: int) -> None:
    """Publish MEMORY_APPEND Signals, as the parent asks; send it the port for acknowledgements."""
    run_loop(_publisher(connection, url, namespace, subscribers))


async def _publisher(connection: Connection, url: str, namespace: str, subscribers: int) -> None:
    acks = await Acks.opened(len(shares(subscribers)))
    dendrite = await joined(url, namespace, "publisher")

    async def publish_one() -> None:
        await dendrite.emit_memory_append(key="bench", value=PAYLOAD)

    async def greet() -> None:
        await dendrite.emit_memory_append(key="bench", value=_GREETING)

    publishing = Publishing(acks, subscribers, publish_one)

    async def publish(seconds: float, burst: int = ACK_EVERY) -> Fan:
        await acks.all_reached(greet)
        return await publishing.for_(seconds, burst)

    async with dendrite:
        connection.send(acks.port)
        await answer(connection, {"publish": publish})


def subscribers(
    connection: Connection,
    url: str,
    namespace: str,
    port: int,
    process: int,
    count: int,
    plain: bool = False,
) -> None:
    """Subscribe, with that many Dendrites; with `plain` their handlers are `def` functions."""
    teller = Teller(port, process, count)
    run_loop(_subscribers(connection, url, namespace, teller, count, plain))


async def _subscribers(
    connection: Connection, url: str, namespace: str, teller: Teller, count: int, plain: bool
) -> None:
    async with AsyncExitStack() as stack:
        for number in range(count):
            dendrite = await joined(url, namespace, f"subscriber-{number}")
            _subscribe(dendrite, teller, number, plain)
            await stack.enter_async_context(dendrite)
        connection.send(None)
        await answer(connection, {})


def _subscribe(dendrite: Dendrite, teller: Teller, number: int, plain: bool) -> None:
    def had_one(signal: Signal) -> None:
        if signal.payload["value"] == _GREETING:
            teller.was_reached(number)
        elif signal.payload["value"] == PAYLOAD:
            teller.had_one(number)
        else:
            raise BenchError(f"something else was published: {signal.payload}")

    async def had_one_on_the_loop(signal: Signal) -> None:
        had_one(signal)

    dendrite.on_memory_append(had_one if plain else had_one_on_the_loop)
