"""A FastAPI app with one Dendrite on its own event loop.

    python examples/fastapi/app.py
    curl -X POST http://127.0.0.1:8000/ask \
        -H "Content-Type: application/json" -d '{"prompt": "What is a Dendrite?"}'
"""

import os
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, Request
from pydantic import BaseModel

from cosmonapse import Dendrite
from cosmonapse.edge.fastapi import Cosmo, dendrite

NAMESPACE = os.environ.get("COSMO_NAMESPACE", "api-demo")
PORT = int(os.environ.get("PORT", "8000"))
TIMEOUT_S = float(os.environ.get("TIMEOUT_S", "30"))

app = FastAPI()
cosmo = Cosmo(app, namespace=NAMESPACE, dendrite_id="fastapi-app")


class Question(BaseModel):
    prompt: str


@app.post("/ask")
async def ask(question: Question, request: Request):
    task = {"neuron": "worker", "input": question.model_dump(), "timeout_s": TIMEOUT_S}
    return await cosmo.ask(request, **task)  # with the request, a hang-up cancels the task


@app.get("/neurons")
async def neurons(dendrite: Annotated[Dendrite, Depends(dendrite)]):
    return [record.neuron_id for record in await dendrite.find_neurons()]


if __name__ == "__main__":
    uvicorn.run(app, port=PORT)
