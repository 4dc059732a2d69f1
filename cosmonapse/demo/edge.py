"""The HTTP edge of the demonstration: a Flask app with one Dendrite in a loop thread."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from typing import Any

from ..dendrite import Dendrite
from ..errors import NeuronError, facts_of
from ..runtime.extras import missing_extra
from ..synapse import connect_synapse
from .worker import NEURON_ID

_TIMEOUT_S = 60.0


def make_app(dendrite: Dendrite, loop: asyncio.AbstractEventLoop) -> Any:
    """Return the Flask app; its handlers run in threads and hand their work to `loop`.

    Raises:
        MissingExtra: Flask is not installed.
    """
    try:
        import flask
    except ImportError as error:
        raise missing_extra("flask", "flask", error) from None

    app = flask.Flask("cosmonapse.demo")

    @app.post("/ask")
    def ask() -> Any:
        body = flask.request.get_json(silent=True)
        prompt = body.get("prompt") if isinstance(body, dict) else None
        if not isinstance(prompt, str) or not prompt.strip():
            return {"error": 'send JSON such as {"prompt": "What is a Dendrite?"}'}, 400
        task = dendrite.dispatch_and_wait(
            neuron=NEURON_ID, input={"prompt": prompt}, timeout_s=_TIMEOUT_S
        )
        try:
            reply = asyncio.run_coroutine_threadsafe(task, loop).result()
            return {"answer": reply.output, "replica": reply.meta.get("dendrite")}
        except NeuronError as error:
            return {"error": error.message, "code": error.code}, facts_of(error.code).http_status
        except TimeoutError as error:
            return {"error": str(error)}, 504

    return app


def serve(url: str, namespace: str, port: int = 0) -> None:
    """Serve HTTP on loopback until SIGINT or SIGTERM; `port` 0 chooses a free one."""
    from werkzeug.serving import make_server

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="dendrite loop", daemon=True)
    thread.start()

    async def connect() -> Dendrite:
        synapse = await connect_synapse(url)
        dendrite = Dendrite(synapse=synapse, namespace=namespace, dendrite_id="edge")
        await dendrite.start()
        return dendrite

    dendrite = asyncio.run_coroutine_threadsafe(connect(), loop).result()
    server = make_server("127.0.0.1", port, make_app(dendrite, loop), threaded=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"ready http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
    server.server_close()
    asyncio.run_coroutine_threadsafe(dendrite.stop(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2])
