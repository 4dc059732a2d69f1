"""What each face of a gateway costs, beside a direct call: `python -m support.gateway_figures`.

Run it with PYTHONPATH=tests:. and with --smoke for a few calls of each. It prints, for each face:
the CPU of the gateway per call, p50 of a call one after the other beside a direct call, the runs
of a failure at its worker, and the growth of the gateway's memory over many calls. Then 100
streams through the OpenAI face, of which 20 hang up: the tasks that still run a second later.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import sys
import time
from collections import Counter

import attrs

from cosmonapse import Axon, NeuronError
from support.gateways import serving
from support.processes import Children

_TICKS = os.sysconf("SC_CLK_TCK")
_FLAGS = ("--http", "--openai", "--mcp", "--a2a")
_HANG_UPS, _STREAMS, _LEFT_AFTER_S = 20, 100, 1.0
_OBJECT = {"type": "object"}


@attrs.frozen
class Sizes:
    """How much is done.

    Args:
        timed: Calls one after the other, for p50 and CPU.
        many: Calls for the growth of memory.
        at_once: How many of these are open at a time.
    """

    timed: int
    many: int
    at_once: int = 8


FULL, SMOKE = Sizes(500, 20_000), Sizes(20, 40)


class Worker:
    """The Neurons behind the gateway, and what they ran."""

    def __init__(self):
        self.runs, self.running = Counter(), 0
        card = {"description": "For figures.", "input": _OBJECT, "output": _OBJECT}
        named = {"quick": self.quick, "fails": self.fails, "streams": self.streams}
        self.axons = [
            Axon(neuron_id=name, neuron_fn=function, concurrency=256, **card)
            for name, function in named.items()
        ]

    async def quick(self, input, context):
        return {"response": "ok"}

    async def fails(self, input, context):
        self.runs["fails"] += 1
        raise NeuronError("NO_GOOD", "it went wrong")

    async def streams(self, input, context):
        self.running += 1
        try:
            for number in range(20):
                yield f"{number} "
                await asyncio.sleep(0.1)  # a model at work
        finally:
            self.running -= 1


class Connection:
    """One HTTP connection that is kept, with as little of its own cost as can be."""

    def __init__(self, gateway):
        self._place = gateway.base_url.removeprefix("http://")
        self._token = gateway.token
        self._streams = None

    async def post(self, path, body, *headers):
        """Send one request and return the status and the body."""
        if self._streams is None:
            host, _, port = self._place.partition(":")
            self._streams = await asyncio.open_connection(host, int(port))
        reader, writer = self._streams
        writer.write(request_of(self._place, self._token, path, body, *headers))
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        size = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        return int(head.split()[1]), await reader.readexactly(size)

    def close(self):
        if self._streams is not None:
            self._streams[1].close()


def request_of(place, token, path, body, *headers):
    """Return the bytes of a POST with a JSON body."""
    raw = json.dumps(body).encode()
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {place}",
        f"Authorization: Bearer {token}",
        "Content-Type: application/json",
        f"Content-Length: {len(raw)}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + raw


@contextlib.asynccontextmanager
async def http_calls(gateway):
    connection = Connection(gateway)

    async def call(neuron):
        await connection.post(f"/neurons/{neuron}", {"n": 1})

    yield call
    connection.close()


@contextlib.asynccontextmanager
async def openai_calls(gateway):
    connection = Connection(gateway)

    async def call(neuron):
        await connection.post("/v1/chat/completions", chat(neuron))

    yield call
    connection.close()


@contextlib.asynccontextmanager
async def a2a_calls(gateway):
    connection = Connection(gateway)
    numbers = iter(range(1 << 62))

    async def call(neuron):
        message = {"role": "ROLE_USER", "parts": [{"text": "x"}], "messageId": f"m{next(numbers)}"}
        path = f"/a2a/{neuron}/message:send"
        await connection.post(path, {"message": message}, "A2A-Version: 1.0")

    yield call
    connection.close()


@contextlib.asynccontextmanager
async def mcp_calls(gateway):
    from support.mcp_clients import client_of

    async with client_of(gateway, "http", "auto") as client:

        async def call(neuron):
            await client.call_tool(neuron, {"n": 1})

        yield call


FACES = {"http": http_calls, "openai": openai_calls, "mcp": mcp_calls, "a2a": a2a_calls}
"""Each face, and what makes calls of a Neuron through it."""


def chat(neuron, **more):
    return {"model": neuron, "messages": [{"role": "user", "content": "x"}], **more}


def cpu_s(pid):
    """Return the CPU that a process has used, in seconds."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def rss_mib(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


async def timed(call, count):
    """Return the time of each call, in milliseconds."""
    took_ms = []
    for _ in range(count):
        began_s = time.perf_counter()
        await call("quick")
        took_ms.append((time.perf_counter() - began_s) * 1000)
    return took_ms


async def of_one_face(name, gateway, worker, sizes):
    """Measure one face; return its row."""
    pid = gateway.process.pid
    async with FACES[name](gateway) as call:
        await timed(call, 20)
        began_s = cpu_s(pid)
        took_ms = await timed(call, sizes.timed)
        each_ms = (cpu_s(pid) - began_s) * 1000 / sizes.timed
        runs = worker.runs["fails"]
        await call("fails")
        runs = worker.runs["fails"] - runs
    before_mib = rss_mib(pid)
    await many_calls(FACES[name], gateway, sizes)
    return {
        "face": name,
        "gateway_cpu_ms": round(each_ms, 3),
        "p50_ms": round(statistics.median(took_ms), 3),
        "runs_of_a_failure": runs,
        "calls": sizes.many,
        "grown_mib": round(rss_mib(pid) - before_mib, 1),
    }


async def many_calls(face, gateway, sizes):
    async def one_client():
        async with face(gateway) as call:
            for _ in range(sizes.many // sizes.at_once):
                await call("quick")

    await asyncio.gather(*(one_client() for _ in range(sizes.at_once)))


async def direct(gateway, sizes):
    """Return p50 of a call without a gateway, from another Dendrite of this process."""
    from cosmonapse import Dendrite, connect_synapse

    synapse = await connect_synapse(gateway.url)
    async with Dendrite(synapse=synapse, namespace=gateway.namespace) as dendrite:

        async def call(neuron):
            await dendrite.ask(neuron=neuron, input={"n": 1})

        await timed(call, 20)
        return statistics.median(await timed(call, sizes.timed))


async def streams(gateway, worker):
    """Open 100 streams, hang up 20; return how many were whole, and what runs a second later."""
    place = gateway.base_url.removeprefix("http://")
    host, _, port = place.partition(":")
    request = request_of(place, gateway.token, "/v1/chat/completions", chat("streams", stream=True))

    async def one(leaves):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(request)
        said = await reader.readuntil(b"data: ")
        while not leaves and not said.endswith(b"[DONE]\n\n"):
            said = await reader.readuntil(b"\n\n")
        writer.close()
        return not leaves

    leaving = [asyncio.ensure_future(one(True)) for _ in range(_HANG_UPS)]
    staying = [asyncio.ensure_future(one(False)) for _ in range(_STREAMS - _HANG_UPS)]
    await asyncio.wait(leaving)
    whole = sum(await asyncio.gather(*staying))
    await asyncio.sleep(_LEFT_AFTER_S)
    return {"streams": _STREAMS, "hang_ups": _HANG_UPS, "whole": whole, "left": worker.running}


def figures(sizes, faces=tuple(FACES)):
    """Yield the rows of one run."""
    worker = Worker()
    with Children() as children:
        url = children.synapse()[1]
        flags = [flag for flag in _FLAGS if flag.removeprefix("--") in faces]
        with serving(url, *worker.axons, flags=flags) as gateway:
            yield {"direct_p50_ms": round(asyncio.run(direct(gateway, sizes)), 3)}
            for name in faces:
                yield asyncio.run(of_one_face(name, gateway, worker, sizes))
            if "openai" in faces:
                yield asyncio.run(streams(gateway, worker))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="a few calls of each")
    parser.add_argument("--many", type=int, help="calls for the growth of memory")
    parser.add_argument("--faces", nargs="*", default=list(FACES), choices=list(FACES))
    given = parser.parse_args(arguments)
    sizes = SMOKE if given.smoke else FULL
    if given.many is not None:
        sizes = attrs.evolve(sizes, many=given.many)
    for row in figures(sizes, tuple(given.faces)):
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
