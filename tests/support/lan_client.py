"""A Dendrite that stays: `python lan_client.py URL`; it asks without a pause, and prints.

`connected SECONDS` once it has connected, then `answered` when an answer comes after a line on its
stdin, and the text of the error in place of `connected` if it cannot.
"""

import asyncio
import sys
import time

from cosmonapse import CosmonapseError, Dendrite, connect_synapse


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def main(url):
    began_s = time.monotonic()
    try:
        synapse = await connect_synapse(url)
    except CosmonapseError as error:
        say(type(error).__name__, error)
        return
    say("connected", time.monotonic() - began_s)
    async with Dendrite(synapse=synapse) as dendrite:
        say("joined", time.monotonic() - began_s)
        loop = asyncio.get_running_loop()
        while await loop.run_in_executor(None, sys.stdin.readline):
            asked_s = time.monotonic()
            while True:
                try:
                    await dendrite.synapse_state()
                    break
                except (CosmonapseError, TimeoutError):
                    pass  # it is away: ask again
            say("answered", time.monotonic() - asked_s)


asyncio.run(main(*sys.argv[1:]))
