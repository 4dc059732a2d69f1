"""The Neurons behind the tests of the A2A face.

Usage: python a2a_worker.py URL NAMESPACE
"""

import asyncio
import sys

from cosmonapse import Axon, Dendrite, NeuronError, synapse_from_url

LARGE = 2**60 + 1
_SEEN = {"cancelled": 0, "started": 0}


async def echo(input, context):
    kinds = {key: type(value).__name__ for key, value in input.items()}
    return {"got": input, "kinds": kinds}


async def chat(input, context):
    for word in ("one ", "two ", "three"):
        yield word


async def plain(input, context):
    return {"response": f"hello {input['prompt']}"}


async def search(input, context):
    return {"query": input["query"]}


async def book(input, context):
    if "clarification" not in input:
        return {"__clarification__": True, "question": "how many nights?"}
    return {"city": input["prompt"], "said": input["clarification"]["answer"]}


async def twice(input, context):
    known = [each["answer"] for each in input.get("clarifications", [])]
    if "clarification" in input and not known:
        known = [input["clarification"]["answer"]]
    if len(known) < 2:
        return {"__clarification__": True, "question": f"question {len(known) + 1}?"}
    return {"answers": known}


async def erase(input, context):
    if "permission" not in input:
        return {"__permission__": True, "action": "erase all", "reason": "disk full"}
    return {"granted": input["permission"]["granted"]}


async def climb(input, context):
    return {"__escalation__": True, "reason": "too hard", "target": "echo"}


async def fail(input, context):
    raise NeuronError(input["prompt"], "as asked")


async def wait(input, context):
    _SEEN["started"] += 1
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        _SEEN["cancelled"] += 1
        raise


async def seen(input, context):
    return dict(_SEEN)


async def large(input, context):
    return {"number": LARGE, "response": "large"}


async def deep(input, context):
    value = {}
    for _ in range(40):
        value = {"in": value}
    return value


_TEXT = {"type": "string"}
_SEARCH = {"type": "object", "properties": {"query": _TEXT, "limit": {"type": "integer"}}}


def axons():
    about = {"search": {"input": _SEARCH, "description": "Search the docs"}}
    functions = (
        echo, chat, plain, search, book, twice, erase, climb, fail, wait, seen, large, deep,
    )
    for function in functions:
        name = function.__name__
        settings = {"description": f"Test {name}", **about.get(name, {})}
        yield Axon(neuron_id=name, neuron_fn=function, capabilities=["test"], **settings)
    yield Axon(neuron_id="bare", neuron_fn=plain)


async def main(url, namespace):
    dendrite = Dendrite(
        synapse=synapse_from_url(url), namespace=namespace, dendrite_id="a2a-worker"
    )
    for axon in axons():
        dendrite.attach_axon(axon)
    async with dendrite:
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
