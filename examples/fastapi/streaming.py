"""Stream a Neuron's words to a browser as server-sent events.

    python examples/fastapi/streaming.py
    curl -N -X POST http://127.0.0.1:8000/stream \
        -H "Content-Type: application/json" -d '{"prompt": "What is a Dendrite?"}'

Press Ctrl-C in curl, and the Neuron stops working for it.
"""

import os

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from cosmonapse.edge.fastapi import Cosmo

NAMESPACE = os.environ.get("COSMO_NAMESPACE", "api-demo")
PORT = int(os.environ.get("PORT", "8000"))

app = FastAPI()
cosmo = Cosmo(app, namespace=NAMESPACE, dendrite_id="fastapi-app")


class Question(BaseModel):
    prompt: str


@app.post("/stream")
async def stream(question: Question):
    return await cosmo.stream_response(neuron="worker", input=question.model_dump())


@app.post("/text")
async def text(question: Question):
    return await cosmo.stream_response(neuron="worker", input=question.model_dump(), as_text=True)


if __name__ == "__main__":
    uvicorn.run(app, port=PORT)
