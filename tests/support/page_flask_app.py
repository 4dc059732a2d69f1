"""The Flask app that the page about orchestrators prints, as it stands there."""

import asyncio
import os
import threading
import time

from flask import Flask, jsonify, request

from cosmonapse import Dendrite, connect_synapse

SYNAPSE_URL = os.environ.get("SYNAPSE_URL", "cosmo://127.0.0.1:7070")
app = Flask(__name__)
_loop: asyncio.AbstractEventLoop
_dendrite: Dendrite


async def _connect():
    global _dendrite
    synapse = await connect_synapse(SYNAPSE_URL)
    _dendrite = Dendrite(synapse=synapse, namespace="api-demo", dendrite_id="flask-orchestrator")
    await _dendrite.__aenter__()


def _start_loop():
    global _loop
    _loop = asyncio.new_event_loop()
    asyncio.set_event_loop(_loop)
    _loop.run_until_complete(_connect())
    _loop.run_forever()


threading.Thread(target=_start_loop, daemon=True).start()
time.sleep(0.5)  # give the loop time to connect


@app.post("/ask")
def ask():
    prompt = request.get_json().get("prompt", "")
    if not prompt:
        return jsonify({"error": "prompt required"}), 400
    future = asyncio.run_coroutine_threadsafe(
        _dendrite.dispatch_and_wait(
            neuron="worker",
            input={"prompt": prompt},
            timeout_s=30.0,
        ),
        _loop,
    )
    reply = future.result(timeout=32)
    return jsonify({"response": reply.payload["output"]["response"]})


if __name__ == "__main__":
    app.run(port=5000)
