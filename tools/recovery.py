"""How long a fabric takes to be whole again: `python -m tools.recovery [--dendrites 1 100 1000]`.

The Synapse is killed with SIGKILL and started again on its port. Measured from the moment it
listens: until a task is answered, and until every Axon is back on the roster. Under two minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack

from cosmonapse import Dendrite, SynapseUnreachable, synapse_from_url
from cosmonapse.bench.children import BenchError
from cosmonapse.bench.figures import spread

from .bench import crowd
from .soak.processes import free_port

_NAMESPACE = "recovery"
_ROUNDS = 5
_LISTENING = "Synapse listening on "


def start(port: int) -> subprocess.Popen[str]:
    """Start a Synapse; return when it listens."""
    command = [sys.executable, "-m", "cosmonapse.cli", "synapse", "start", "--quiet"]
    process = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.PIPE, text=True)
    if not any(line.startswith(_LISTENING) for line in process.stdout or ()):
        raise BenchError("the Synapse did not start")
    return process


async def until_whole(observer: Dendrite, axons: int) -> tuple[float, float]:
    """Return the seconds until a task was answered, and until all were back."""
    began_s = time.monotonic()
    await observer.ask(neuron="neuron-0-0", input={}, timeout_s=30.0)
    answered_s = time.monotonic() - began_s
    while True:
        try:
            alive = [each for each in await observer.registry_snapshot() if each.state == "alive"]
        except SynapseUnreachable:
            continue
        if len(alive) >= axons:
            return answered_s, time.monotonic() - began_s


async def measure(count: int) -> list[tuple[float, float]]:
    """Kill and start the Synapse of `count` Dendrites, a few times."""
    port = free_port(("127.0.0.1",))
    url = f"cosmo://127.0.0.1:{port}"
    running = start(port)
    took = []
    with ExitStack() as stack:
        stack.callback(lambda: (running.terminate(), running.wait()))
        crowds = await asyncio.to_thread(crowd.gathered, stack, url, _NAMESPACE, count)
        async with Dendrite(synapse=synapse_from_url(url), namespace=_NAMESPACE) as observer:
            await until_whole(observer, count)
            for _ in range(_ROUNDS):
                running.send_signal(signal.SIGKILL)
                running.wait()
                running = await asyncio.to_thread(start, port)
                took.append(await until_whole(observer, count))
                await asyncio.sleep(0.5)  # the next kill shall find everyone at rest
        await asyncio.to_thread(crowd.dispersed, crowds)
    return took


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tools.recovery", description=__doc__)
    parser.add_argument("--dendrites", type=int, nargs="+", default=[1, 100, 1000], metavar="N")
    for count in parser.parse_args(arguments).dendrites:
        took = asyncio.run(measure(count))
        answered_ms, whole_ms = ([1000 * each[at] for each in took] for at in (0, 1))
        print(
            f"{count:>6,} Dendrites: a task answered after {spread(answered_ms)} ms, "
            f"all back after {spread(whole_ms)} ms",
            flush=True,
        )


if __name__ == "__main__":
    main()
