"""A Flask app with one Dendrite for the whole process.

    python examples/flask/flask_app.py
    curl -X POST http://127.0.0.1:5000/ask \
        -H "Content-Type: application/json" -d '{"prompt": "What is a Dendrite?"}'

Flask's handlers run in threads; the Dendrite lives on an asyncio loop in a thread of its own, and
`run_coroutine_threadsafe` takes a request from one to the other.
"""

import asyncio
import os
import threading

from flask import Flask, jsonify, request

from cosmonapse import CODES, Dendrite, NeuronError, connect_synapse

URL = os.environ.get("SYNAPSE_URL")  # without it: COSMO_URL, else cosmo://127.0.0.1:7070
NAMESPACE = os.environ.get("COSMO_NAMESPACE", "api-demo")
PORT = int(os.environ.get("PORT", "5000"))

app = Flask(__name__)
loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, name="dendrite loop", daemon=True).start()


def on_loop(coroutine):
    """Run a coroutine on the Dendrite's loop and wait for its result."""
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result()


async def connect() -> Dendrite:
    synapse = await connect_synapse(URL)
    dendrite = Dendrite(synapse=synapse, namespace=NAMESPACE, dendrite_id="flask-app")
    await dendrite.start()
    return dendrite


dendrite = on_loop(connect())


@app.post("/ask")
def ask():
    body = request.get_json(silent=True)
    prompt = body.get("prompt") if isinstance(body, dict) else None
    if not prompt:
        return jsonify(error="prompt required"), 400
    try:
        reply = on_loop(
            dendrite.dispatch_and_wait(neuron="worker", input={"prompt": prompt}, timeout_s=30.0)
        )
        return jsonify(response=reply.output["response"])
    except NeuronError as error:  # an ERROR Signal: a code, a message, may a retry help?
        status = CODES[error.code].http_status if error.code in CODES else 502
        return jsonify(error=error.message, code=error.code, retry=error.recoverable), status
    except TimeoutError as error:
        return jsonify(error=str(error)), 504


if __name__ == "__main__":
    app.run(port=PORT)
