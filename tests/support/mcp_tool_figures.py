"""What a tool Axon adds to a call of an MCP server.

Run `PYTHONPATH=tests:. python -m support.mcp_tool_figures`.

One Python server over stdio, called by the client of MCP alone and through `McpServer` on a Synapse
with real sockets, in turns. CPU is that of this process, in which both ends of the fabric run.
"""

import asyncio
import os
import signal
import statistics
import sys
import time
from pathlib import Path

from mcp import Client, StdioServerParameters

from cosmonapse import Dendrite, McpServer, NeuronError, SynapseServer, connect_synapse

STUB = str(Path(__file__).with_name("mcp_stub.py"))
SERVER = str(Path(__file__).with_name("mcp_tools_server.py"))
CALLS = 300
TURNS = 3


async def measured(call):
    """Return the median time of a call and its CPU, both in ms."""
    took, cpu_s = [], time.process_time()
    for _ in range(CALLS):
        begun_s = time.perf_counter()
        await call()
        took.append(time.perf_counter() - begun_s)
    return statistics.median(took) * 1000, (time.process_time() - cpu_s) / CALLS * 1000


async def compared(dendrite):
    """Call both in turns."""
    parameters = StdioServerParameters(command=sys.executable, args=[SERVER])
    async with Client(parameters) as client:
        await client.list_tools()
        for _ in range(TURNS):
            for name, call in (
                ("client of MCP", lambda: client.session.call_tool("pid", {})),
                ("tool Axon", lambda: dendrite.ask(neuron="it.pid", input={})),
            ):
                p50_ms, cpu_ms = await measured(call)
                show(f"{name}: p50 {p50_ms:.2f} ms, CPU {cpu_ms:.2f} ms a call")


async def at_once(dendrite):
    begun_s = time.perf_counter()
    await asyncio.gather(*(dendrite.ask(neuron="it.pid", input={}) for _ in range(100)))
    show(f"100 at once: {(time.perf_counter() - begun_s) * 1000:.0f} ms")


async def back_after_a_kill(dendrite):
    """Kill a server that starts in no time: what is left is ours."""
    await dendrite.add_source(McpServer([sys.executable, STUB], id="stub"))
    pid = (await dendrite.ask(neuron="stub.pid", input={}))["text"]
    os.kill(int(pid), signal.SIGKILL)
    begun_s = time.perf_counter()
    again = pid
    while again == pid:
        try:
            again = (await dendrite.ask(neuron="stub.pid", input={}))["text"]
        except NeuronError:
            await asyncio.sleep(0.01)
    show(f"back {time.perf_counter() - begun_s:.2f} s after kill -9")


def show(line):
    sys.stdout.write(line + "\n")


async def main():
    with SynapseServer(port=0) as synapse:
        joined = await connect_synapse(synapse.url)
        async with Dendrite(synapse=joined, namespace="figures", dendrite_id="figures") as dendrite:
            await dendrite.add_source(McpServer([sys.executable, SERVER], id="it", tools=["pid"]))
            await compared(dendrite)
            await at_once(dendrite)
            await back_after_a_kill(dendrite)


if __name__ == "__main__":
    asyncio.run(main())
