"""The worker of the demonstration: a process with one replica of the Neuron `worker`."""

from __future__ import annotations

import os
import sys
from typing import Any

from .. import Axon, Dendrite, Neuron, connect_synapse
from ..errors import LocalError
from ..runtime.loops import run
from .librarian import librarian, load_pages

NEURON_ID = "worker"
_MODEL = "meta-llama/Llama-3.1-8B-Instruct"
_ENDPOINT = "https://router.huggingface.co"
_PAUSE_S = 0.15
_INPUT = {
    "type": "object",
    "required": ["prompt"],
    "properties": {"prompt": {"type": "string", "description": "The question."}},
}


def neuron_from_environment() -> Any:
    """Return the model of the page when `HF_TOKEN` is set, else the offline librarian."""
    token = os.environ.get("HF_TOKEN")
    if not token:
        return librarian(load_pages(), pause_s=_PAUSE_S)
    return Neuron(
        source="huggingface",
        endpoint=os.environ.get("HF_ENDPOINT", _ENDPOINT),
        model=os.environ.get("HF_MODEL", _MODEL),
        api_key=token,
        use_chat_api=True,
        max_new_tokens=256,
    )


async def serve(url: str, namespace: str, name: str) -> None:
    """Host the Neuron until SIGINT or SIGTERM."""
    axon = Axon(
        neuron_id=NEURON_ID,
        neuron_fn=neuron_from_environment(),
        capabilities=["text-generation", "chat"],
        description="Answers questions about Cosmonapse, out of its documentation.",
        input=_INPUT,
    )
    synapse = await connect_synapse(url)
    dendrite = Dendrite(synapse=synapse, namespace=namespace, dendrite_id=name)
    dendrite.attach_axon(axon)
    async with dendrite:
        print(f"ready {name}", flush=True)
        await dendrite.serve()


if __name__ == "__main__":
    try:
        run(serve(*sys.argv[1:4]))
    except LocalError as error:
        sys.exit(str(error))
