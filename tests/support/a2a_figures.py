"""What A2A adds to a call: `PYTHONPATH=tests:. python -m support.a2a_figures [--calls 300]`.

One run, its ways in turns: a direct call, and one over each binding of a gateway, with plain HTTP
as a client. CPU is that of the gateway process alone.
"""

import argparse
import asyncio
import os
import statistics
import sys
import time
from pathlib import Path

from cosmonapse import Axon, SynapseServer
from support.gateways import serving

_TICKS = os.sysconf("SC_CLK_TCK")
_HEADERS = {"A2A-Version": "1.0"}
_PARTS = [{"data": {"text": "x" * 100}}]
_MESSAGE = {"message": {"messageId": "1", "role": "ROLE_USER", "parts": _PARTS}}
_RPC = {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": _MESSAGE}


def echo(input, context):
    return input


def cpu_s(process):
    stat = Path(f"/proc/{process._process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / _TICKS


async def measured(call, calls, process):
    """Return p50 in ms and CPU of the gateway in ms for each call."""
    took = []
    before = cpu_s(process)
    for _ in range(calls):
        begun = time.perf_counter()
        await call()
        took.append(time.perf_counter() - begun)
    return statistics.median(took) * 1000, (cpu_s(process) - before) / calls * 1000


async def compare(gateway, calls):
    async with gateway.async_client(headers={**gateway.headers, **_HEADERS}) as http:

        async def direct():
            await asyncio.to_thread(gateway.dendrite.ask, neuron="echo", input={"text": "x" * 100})

        async def rpc():
            assert "COMPLETED" in (await http.post("/a2a/echo", json=_RPC)).text

        async def rest():
            assert "COMPLETED" in (await http.post("/a2a/echo/message:send", json=_MESSAGE)).text

        ways = {"direct": direct, "A2A, JSON-RPC": rpc, "A2A, REST": rest}
        found = {name: [] for name in ways}
        for _ in range(4):
            for name, call in ways.items():
                found[name].append(await measured(call, calls // 4, gateway.process))
    for name, rounds in found.items():
        p50, cpu = (statistics.median(column) for column in zip(*rounds, strict=True))
        sys.stdout.write(f"{name:14} p50 {p50:6.2f} ms   CPU of the gateway {cpu:5.2f} ms\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=300)
    calls = parser.parse_args().calls
    axon = Axon(neuron_id="echo", neuron_fn=echo)
    with SynapseServer(port=0) as server, serving(server.url, axon, flags=["--a2a"]) as gateway:
        asyncio.run(compare(gateway, calls))


if __name__ == "__main__":
    main()
