"""What MCP costs: `PYTHONPATH=tests:. python -m support.mcp_figures [CALLS]`, 2,000 by default.

It prints the median time of a call, one at a time, and the CPU and the memory of the gateway, over
each carrier and in each era; beside them the same calls by a Dendrite.
"""

import asyncio
import contextlib
import os
import statistics
import sys
import time

from cosmonapse import Axon, Dendrite, synapse_from_url
from support.gateways import serving
from support.mcp_clients import MODES, client_of
from support.processes import Children

TOOLS = 500


def say(line):
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def echo(input, context):
    return {"got": input}


def axon(name):
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    return Axon(neuron_id=name, neuron_fn=echo, description="Return it.", input=schema)


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def timed(call, calls):
    took = []
    for _ in range(calls):
        at = time.perf_counter()
        await call()
        took.append(time.perf_counter() - at)
    return statistics.median(took) * 1000


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(each) for each in file.read().split()]


async def measure(gateway, carrier, mode, calls):
    before = set(children_of(os.getpid()))
    async with client_of(gateway, carrier, mode) as client:
        new = set(children_of(os.getpid())) - before
        pid = new.pop() if carrier == "stdio" else gateway.process.pid
        at = time.perf_counter()
        listed = len((await client.list_tools()).tools)
        first_ms = (time.perf_counter() - at) * 1000
        at = time.perf_counter()
        await client.list_tools()
        again_ms = (time.perf_counter() - at) * 1000

        async def call():
            result = await client.call_tool("echo", {"city": "Oslo"})
            assert not result.is_error

        await timed(call, 50)
        cpu, memory = cpu_s(pid), memory_mb(pid)
        p50 = await timed(call, calls)
        used = (cpu_s(pid) - cpu) / calls * 1000
        grown = memory_mb(pid) - memory
    era = "2026-07-28" if mode == "auto" else "2025-11-25"
    say(
        f"{carrier:6} {era}: p50 {p50:.2f} ms, gateway {used:.2f} ms of CPU a call, "
        f"memory {memory:.0f} MB {grown:+.1f} MB after {calls:,} calls; "
        f"{listed} tools listed in {first_ms:.0f} ms, again in {again_ms:.0f} ms"
    )


async def direct(gateway, calls):
    synapse = synapse_from_url(gateway.url)
    async with Dendrite(synapse=synapse, namespace=gateway.namespace) as dendrite:

        async def call():
            await dendrite.ask(neuron="echo", input={"city": "Oslo"})

        await timed(call, 50)
        say(f"direct: p50 {await timed(call, calls):.2f} ms")


async def main(gateway, calls):
    await direct(gateway, calls)
    for carrier in ("stdio", "http"):
        for mode in MODES:
            await measure(gateway, carrier, mode, calls)


if __name__ == "__main__":
    many = [axon(f"tool.{number}") for number in range(TOOLS - 1)]
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(Children()).synapse()[1]
        gateway = stack.enter_context(serving(url, axon("echo"), *many, flags=["--mcp"]))
        asyncio.run(main(gateway, int(sys.argv[1]) if len(sys.argv) > 1 else 2000))
