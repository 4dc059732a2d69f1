"""A WSGI app without any framework: /ask answers at once, /stream as server-sent events.

    python examples/wsgi/app.py
    curl -X POST http://127.0.0.1:8000/ask \
        -H "Content-Type: application/json" -d '{"prompt": "What is a Dendrite?"}'
    curl -N -X POST http://127.0.0.1:8000/stream \
        -H "Content-Type: application/json" -d '{"prompt": "What is a Dendrite?"}'

Any WSGI server runs `application`; here it is the one that comes with Python.
"""

import os
import socketserver
from wsgiref.simple_server import WSGIServer, make_server

from cosmonapse.edge.wsgi import BadRequest, Cosmo, json_body

NAMESPACE = os.environ.get("COSMO_NAMESPACE", "api-demo")
PORT = int(os.environ.get("PORT", "8000"))
TIMEOUT_S = float(os.environ.get("TIMEOUT_S", "30"))

cosmo = Cosmo(namespace=NAMESPACE, dendrite_id="wsgi-app")


@cosmo.application
def application(environ):
    task = {"neuron": "worker", "input": json_body(environ, "prompt"), "timeout_s": TIMEOUT_S}
    if environ["PATH_INFO"] == "/ask":
        return cosmo.ask(environ, **task)
    if environ["PATH_INFO"] == "/stream":
        return cosmo.stream(environ, **task)
    raise BadRequest("POST to /ask or /stream")


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


if __name__ == "__main__":
    with make_server("127.0.0.1", PORT, application, server_class=Server) as server:
        print(f"Running on http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()
