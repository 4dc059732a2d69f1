"""A Flask app with one Dendrite for the whole process.

    python examples/flask/flask_app.py
    curl -X POST http://127.0.0.1:5000/ask \
        -H "Content-Type: application/json" -d '{"prompt": "What is a Dendrite?"}'

Flask's handlers run in threads; the Dendrite lives on an asyncio loop in a thread of its own, and
`run_coroutine_threadsafe` takes a request from one to the other. `respond` gives every outcome the
same JSON and status as the helpers do. The thread does not survive a fork: with
`gunicorn --preload` use flask_helpers_app.py.
"""

import asyncio
import os
import threading

from flask import Flask

from cosmonapse import CosmonapseError, Dendrite, connect_synapse
from cosmonapse.edge.flask import json_body, respond

URL = os.environ.get("SYNAPSE_URL")  # without it: COSMO_URL, else cosmo://127.0.0.1:7070
NAMESPACE = os.environ.get("COSMO_NAMESPACE", "api-demo")
PORT = int(os.environ.get("PORT", "5000"))
TIMEOUT_S = float(os.environ.get("TIMEOUT_S", "30"))

app = Flask(__name__)
loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, name="dendrite loop", daemon=True).start()


def on_loop(coroutine):
    """Run a coroutine on the Dendrite's loop and wait for its result, never for ever."""
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result(TIMEOUT_S + 2.0)


async def connect() -> Dendrite:
    synapse = await connect_synapse(URL)
    dendrite = Dendrite(synapse=synapse, namespace=NAMESPACE, dendrite_id="flask-app")
    await dendrite.start()
    return dendrite


dendrite = on_loop(connect())


@app.post("/ask")
def ask():
    try:
        task = {"neuron": "worker", "input": json_body("prompt"), "timeout_s": TIMEOUT_S}
        return respond(on_loop(dendrite.dispatch_and_wait(**task)))
    except (CosmonapseError, TimeoutError) as error:
        return respond(error)


if __name__ == "__main__":
    app.run(port=PORT)
