"""flask_app.py again, with the helpers: every outcome becomes JSON with its status.

    python examples/flask/flask_helpers_app.py
    curl -X POST http://127.0.0.1:5000/ask \
        -H "Content-Type: application/json" -d '{"prompt": "What is a Dendrite?"}'
"""

import os

from flask import Flask

from cosmonapse.edge.flask import Cosmo, json_body

NAMESPACE = os.environ.get("COSMO_NAMESPACE", "api-demo")
PORT = int(os.environ.get("PORT", "5000"))
TIMEOUT_S = float(os.environ.get("TIMEOUT_S", "30"))

app = Flask(__name__)
cosmo = Cosmo(app, namespace=NAMESPACE, dendrite_id="flask-app")


@app.post("/ask")
def ask():
    return cosmo.ask(neuron="worker", input=json_body("prompt"), timeout_s=TIMEOUT_S)


if __name__ == "__main__":
    app.run(port=PORT)
