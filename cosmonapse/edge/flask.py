"""Flask in front, one Dendrite for each process behind it. Needs the extra [flask].

cosmo = Cosmo(app, "cosmo://127.0.0.1:7070", namespace="api-demo")

@app.post("/ask")
def ask():
    return cosmo.ask(neuron="worker", input=json_body("prompt"))
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import CosmonapseError, MissingExtra
from ..signals import Signal
from ..synapse.url import DEFAULT_URL
from . import sse
from .blocking import BlockingDendrite
from .faults import answer_and_log
from .outcomes import JSON_TYPE, HttpAnswer, answer_of, is_outcome, json_object, jsonable
from .per_process import PerProcess
from .wsgi_stream import TEXT_TYPE, StreamBody, client_is_gone, refused

try:
    import flask
    from werkzeug.exceptions import HTTPException
except ImportError:
    raise MissingExtra("flask", "flask") from None


class Cosmo:
    """A Dendrite for a Flask app, started by the first request of each process that needs it.

    So an app that is loaded before its server forks is safe, and so is the reloader. Every outcome
    of `ask` and `stream_response` becomes JSON with its status; see docs/edge.md.

    Args:
        app: The app; or call `init_app` later.
        url: The Synapse.
        settings: What `BlockingDendrite` takes: `namespace`, `dendrite_id`, ...
    """

    def __init__(
        self, app: flask.Flask | None = None, url: str = DEFAULT_URL, **settings: Any
    ) -> None:
        settings.setdefault("dendrite_id", "flask")
        self._mine = PerProcess(lambda: BlockingDendrite(url, **settings))
        if app is not None:
            self.init_app(app)

    def init_app(self, app: flask.Flask) -> None:
        """Attach to an app: `app.extensions["cosmonapse"]`, and the error handlers."""
        app.extensions["cosmonapse"] = self
        for kind in (CosmonapseError, TimeoutError, Exception):
            app.register_error_handler(kind, _on_error)

    @property
    def dendrite(self) -> BlockingDendrite:
        """The Dendrite of this process, running.

        Raises:
            SynapseUnreachable: It cannot be started; the next request tries again.
            SynapseRefused: The Synapse does not take it.
        """
        return self._mine.get()

    def ask(self, **task: Any) -> dict[str, Any]:
        """Send a TASK and return its output, as JSON can say it; return it from the view.

        Takes what `Dendrite.ask` takes. A client that hangs up meanwhile cancels the task, where
        the server shows its connection (Werkzeug, gunicorn).

        Raises:
            NeuronError: The outcome is an ERROR.
            NeedsAnswer: It is a question.
            TimeoutError: There is none in time.
            CosmonapseError: It could not be sent.
        """
        environ = flask.request.environ
        output: dict[str, Any] = jsonable(self._mine.ask(lambda: client_is_gone(environ), task))
        return output

    def stream_response(self, *, as_text: bool = False, **task: Any) -> flask.Response:
        """Send a TASK and return a response that streams it; a client that hangs up cancels it.

        Takes what `Dendrite.dispatch` takes. A task that is refused within 0.2 s gets its own
        status instead.

        Args:
            as_text: True for the bare texts, False for server-sent events.
            task: Of `Dendrite.dispatch`.

        Raises:
            CosmonapseError: It could not be sent.
        """
        environ = flask.request.environ
        stream = self._mine.stream(task)
        refusal = refused(stream)
        if refusal is not None:
            return _response(refusal)
        return flask.Response(
            StreamBody(stream, as_text, lambda: client_is_gone(environ)),
            mimetype=TEXT_TYPE if as_text else sse.CONTENT_TYPE,
            headers=dict(sse.HEADERS),
        )

    def stop(self) -> None:
        """Stop the Dendrite of this process, if it runs."""
        self._mine.stop()


def json_body(*required: str) -> dict[str, Any]:
    """Return the JSON object that the request at hand brings.

    Args:
        required: Keys that must be there, with something behind them.

    Raises:
        BadRequest: It is no JSON, no object, or lacks a key; becomes status 400.
    """
    return json_object(flask.request.get_data(), flask.request.content_type, *required)


def respond(outcome: Signal | Mapping[str, Any] | BaseException) -> flask.Response:
    """Return the response for a reply, an output or an exception, by the table of docs/edge.md."""
    if isinstance(outcome, BaseException):
        return _response(answer_and_log(outcome))
    return _response(answer_of(outcome))


def _response(answer: HttpAnswer) -> flask.Response:
    return flask.Response(
        answer.content, answer.status, headers=dict(answer.headers), mimetype=JSON_TYPE
    )


def _on_error(error: Exception) -> flask.Response | HTTPException:
    if is_outcome(error):
        return respond(error)
    if isinstance(error, HTTPException):
        return error
    raise error
