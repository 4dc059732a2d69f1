"""A caller that measures the promises made to it: `python measuring_caller.py URL NAMESPACE`.

It wants the neurons `echo` and `held`, and prints one line of JSON. It holds the seconds of calls
and of a timeout on the monotonic clock, the result of `retry=`, the states of the roster, and the
spread of the wall clocks in its Signals.
"""

import asyncio
import json
import sys
import time

from cosmonapse import Dendrite, RetryStrategy, connect_synapse

ROUNDS = 200


async def timed(awaitable):
    """Return its result or the name of its error, and the duration."""
    began_s = time.monotonic()
    try:
        result = await awaitable
    except TimeoutError:
        result = "TimeoutError"
    return result, time.monotonic() - began_s


async def measure(dendrite):
    stamps, longest_s = [], 0.0
    dendrite.on_agent_output(lambda sig: stamps.append(sig.ts))
    for n in range(ROUNDS):
        output, took_s = await timed(dendrite.ask(neuron="echo", input={"n": n}, timeout_s=5.0))
        assert output["echo"] == {"n": n}
        longest_s = max(longest_s, took_s)
        await asyncio.sleep(0.002)  # so that the clock jumps meanwhile
    late, late_s = await timed(dendrite.ask(neuron="held", input={"n": 1}, timeout_s=0.4))
    retry = RetryStrategy(max_attempts=3, timeout_s=0.2, backoff=0.1)
    again, again_s = await timed(
        dendrite.dispatch_and_wait(neuron="held", input={"n": 2}, timeout_s=5.0, retry=retry)
    )
    return {
        "longest_s": longest_s,
        "late": [late, late_s],
        "again": [again, again_s],
        "states": sorted({each.state for each in await dendrite.registry_snapshot()}),
        "wall_apart_s": max(stamps) - min(stamps),
    }


async def main(url, namespace):
    synapse = await connect_synapse(url)
    async with Dendrite(synapse=synapse, namespace=namespace, dendrite_id="measuring") as dendrite:
        sys.stdout.write(json.dumps(await measure(dendrite)) + "\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
