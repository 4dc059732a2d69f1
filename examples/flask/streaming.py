"""Stream a Neuron's words to a browser as server-sent events.

    python examples/flask/streaming.py
    curl -N -X POST http://127.0.0.1:5000/stream \
        -H "Content-Type: application/json" -d '{"prompt": "What is a Dendrite?"}'
    curl -N -X POST http://127.0.0.1:5000/text \
        -H "Content-Type: application/json" -d '{"prompt": "What is a Dendrite?"}'

Press Ctrl-C in curl, and the Neuron stops working for it.
"""

import os

from flask import Flask

from cosmonapse.edge.flask import Cosmo, json_body

NAMESPACE = os.environ.get("COSMO_NAMESPACE", "api-demo")
PORT = int(os.environ.get("PORT", "5000"))

app = Flask(__name__)
cosmo = Cosmo(app, namespace=NAMESPACE, dendrite_id="flask-app")


@app.post("/stream")
def stream():
    return cosmo.stream_response(neuron="worker", input=json_body("prompt"))


@app.post("/text")
def text():
    return cosmo.stream_response(neuron="worker", input=json_body("prompt"), as_text=True)


if __name__ == "__main__":
    app.run(port=PORT)
