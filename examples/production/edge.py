"""The edge: HTTP in front, one Dendrite behind. Started by `python edge.py`."""

import os

import uvicorn
from fastapi import FastAPI, Request
from pydantic import BaseModel

from cosmonapse import logs
from cosmonapse.edge.fastapi import Cosmo

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8000"))

app = FastAPI()
cosmo = Cosmo(app, dendrite_id="edge")


class Question(BaseModel):
    prompt: str


@app.post("/ask")
async def ask(question: Question, request: Request):
    return await cosmo.ask(request, neuron="shout", input=question.model_dump(), timeout_s=30.0)


@app.get("/healthz")
async def healthy():
    return {"ok": True}  # the loop turns: whether the Synapse is there, /ask says


if __name__ == "__main__":
    logs.configure()  # as COSMO_LOG_FORMAT says
    uvicorn.run(app, host=HOST, port=PORT, log_config=None)
