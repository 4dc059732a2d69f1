"""Stream with a Pathway and Flask's own `stream_with_context`, without the helpers.

    python examples/flask/streaming_by_hand.py
    curl -N -X POST http://127.0.0.1:5000/stream \
        -H "Content-Type: application/json" -d '{"prompt": "What is a Dendrite?"}'

The Pathway lives on the Dendrite's loop; the view takes one text after the other from it. A client
that hangs up closes the generator, and that closes the Pathway and cancels the task; but Flask
notices it only at the next text. streaming.py notices it while the Neuron is silent, too.
"""

import asyncio
import os
import threading

from flask import Flask, Response, request, stream_with_context

from cosmonapse import Dendrite, connect_synapse

NAMESPACE = os.environ.get("COSMO_NAMESPACE", "api-demo")
PORT = int(os.environ.get("PORT", "5000"))
TIMEOUT_S = float(os.environ.get("TIMEOUT_S", "300"))

app = Flask(__name__)
loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, name="dendrite loop", daemon=True).start()


def on_loop(coroutine):
    """Run a coroutine on the Dendrite's loop and wait for its result, never for ever."""
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result(TIMEOUT_S + 2.0)


async def connect() -> Dendrite:
    synapse = await connect_synapse()
    dendrite = Dendrite(synapse=synapse, namespace=NAMESPACE, dendrite_id="flask-app")
    await dendrite.start()
    return dendrite


dendrite = on_loop(connect())


@app.post("/stream")
def stream():
    prompt = request.get_json()["prompt"]
    task = {"neuron": "worker", "input": {"prompt": prompt}, "timeout_s": TIMEOUT_S}
    pathway = on_loop(dendrite.dispatch(**task))
    thoughts = pathway.thoughts()

    async def next_text():
        return await anext(thoughts, None)

    def texts():
        try:
            while (text := on_loop(next_text())) is not None:
                yield text
        finally:
            on_loop(pathway.close())

    return Response(stream_with_context(texts()), mimetype="text/plain")


if __name__ == "__main__":
    app.run(port=PORT)
