"""A program that uses a Dendrite where it must not: `python misused.py SCENE URL NAMESPACE`.

It prints `refused:` and the error, then `works:` and an output of the neuron "echo".
"""

import asyncio
import os
import sys
import threading
import time

from cosmonapse import Dendrite, DendriteProtocolError, Signal, connect_synapse, new_trace_id


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def ask(dendrite):
    return await dendrite.ask(neuron="echo", input={"n": 1}, timeout_s=5.0)


def ask_on_a_loop_of_its_own(dendrite):
    try:
        asyncio.run(ask(dendrite))
    except DendriteProtocolError as error:
        say("refused:", error)


async def thread(dendrite):
    """Ask on a loop in another thread, then as the error says."""
    loop = asyncio.get_running_loop()

    def elsewhere():
        ask_on_a_loop_of_its_own(dendrite)
        return asyncio.run_coroutine_threadsafe(ask(dendrite), loop).result(5.0)

    say("works:", (await asyncio.to_thread(elsewhere))["echo"])


async def fork(dendrite):
    """Ask in a forked child; the parent goes on."""
    child = os.fork()
    if child == 0:
        asking = threading.Thread(target=ask_on_a_loop_of_its_own, args=(dendrite,))
        asking.start()
        asking.join()
        os._exit(0)
    _, status = await asyncio.to_thread(os.waitpid, child, 0)
    code = os.waitstatus_to_exitcode(status)
    say("works:" if code == 0 else f"child {code}:", (await ask(dendrite))["echo"])


VERBS = {
    "ask": {"neuron": "echo", "input": {}},
    "dispatch": {"neuron": "echo", "input": {}},
    "dispatch_and_wait": {"neuron": "echo", "input": {}},
    "dispatch_task": {"neuron": "echo", "input": {}},
    "dispatch_offer": {"capabilities": ["echo"], "input": {}},
    "emit": {"signal": Signal(type="PLAN")},
    "emit_plan": {"steps": []},
    "find_neurons": {},
    "observe_pathway": {"trace_id": new_trace_id()},
    "stop_trace": {"trace_id": new_trace_id()},
    "synapse_state": {},
    "wait_for_neuron": {"neuron": "echo"},
}


def call_each(dendrite, loop):
    """Give each verb to the loop of the parent, as a request of a preloaded app does."""
    for name, arguments in VERBS.items():
        begun_at_s = time.monotonic()
        try:
            asyncio.run_coroutine_threadsafe(getattr(dendrite, name)(**arguments), loop).result(9.0)
        except DendriteProtocolError as error:
            say("refused:", f"{time.monotonic() - begun_at_s:.1f}", name, error)


async def preload(dendrite):
    """Fork as a server that loads the app first; its loop stays in the parent."""
    loop = asyncio.get_running_loop()
    child = os.fork()
    if child == 0:
        asking = threading.Thread(target=call_each, args=(dendrite, loop))
        asking.start()
        asking.join()
        os._exit(0)
    _, status = await asyncio.to_thread(os.waitpid, child, 0)
    code = os.waitstatus_to_exitcode(status)
    say("works:" if code == 0 else f"child {code}:", (await ask(dendrite))["echo"])


async def closed(dendrite):
    """Ask after the end, then with a new one."""
    await dendrite.stop()
    try:
        await ask(dendrite)
    except DendriteProtocolError as error:
        say("refused:", error)
    async with Dendrite(synapse=dendrite.synapse, namespace=dendrite.namespace) as another:
        say("works:", (await ask(another))["echo"])


async def main(scene, url, namespace):
    synapse = await connect_synapse(url)
    async with Dendrite(synapse=synapse, namespace=namespace) as dendrite:
        await {each.__name__: each for each in (thread, fork, preload, closed)}[scene](dendrite)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
