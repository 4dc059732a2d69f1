"""Programs that are traced, for tests: `python traced_app.py URL PORT` is an edge of FastAPI.

As a module of `cosmo worker` it hosts Neurons: `outer` calls a tool, a model and `inner`.
"""

import os
import sys

from cosmonapse import Axon, Neuron

MARKER = "THE-SECRET-PROMPT"


async def outer_fn(input, context):
    call = await context.tool_call("search", {"q": input["text"]})
    await context.tool_result(call, input["text"])
    said = await context.ask(neuron="model", input={"prompt": input["text"]})
    return {**await context.ask(neuron="inner", input=input), "said": said["response"]}


def inner_fn(input, context):
    return {"traceparent": context.task.meta["traceparent"]}


outer = Axon(neuron_id="outer", neuron_fn=outer_fn)
inner = Axon(neuron_id="inner", neuron_fn=inner_fn)


def model_at(endpoint):
    """Return the Axon of a model, at a provider of the test."""
    asked = Neuron("openai", model="a-model", endpoint=endpoint, api_key="not-a-key")
    return Axon(neuron_id="model", neuron_fn=asked)


if "CHAT_SERVER" in os.environ:
    model = model_at(os.environ["CHAT_SERVER"])


def main(url, port):
    import uvicorn
    from fastapi import FastAPI

    from cosmonapse.edge.fastapi import Cosmo

    app = FastAPI()
    cosmo = Cosmo(app, url, namespace="traced")

    @app.post("/ask")
    async def ask():
        return await cosmo.ask(neuron="outer", input={"text": MARKER})

    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="info")


if __name__ == "__main__":
    main(*sys.argv[1:])
