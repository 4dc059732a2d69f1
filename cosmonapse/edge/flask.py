"""A Flask app with one Dendrite for each process. Needs the extra [flask].

cosmo = Cosmo(app, "cosmo://127.0.0.1:7070", namespace="api-demo")

@app.post("/ask")
def ask():
    return cosmo.ask(neuron="worker", input=json_body("prompt"))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..axon import Axon
from ..errors import CosmonapseError
from ..runtime.extras import missing_extra
from ..signals import Signal
from ..synapse.connect import KeyLike
from . import sse
from .blocking import BlockingDendrite
from .faults import answer_and_log
from .outcomes import JSON_TYPE, HttpAnswer, answer_of, is_outcome, json_object, jsonable
from .per_process import PerProcess
from .trace_headers import with_environ
from .wsgi_stream import TEXT_TYPE, StreamBody, client_is_gone, refused

try:
    import flask
    from werkzeug.exceptions import HTTPException
except ImportError as error:
    raise missing_extra("flask", "flask", error) from None


class Cosmo:
    """A Dendrite for a Flask app, started by the first request of each process that needs it.

    So an app that is loaded before its server forks is safe, and so is the reloader. Every outcome
    of `ask` and `stream_response` becomes JSON with its status; see docs/edge.md.

    Args:
        app: The app; or call `init_app` later.
        url: The Synapse; see `synapse_from_url`.
        key: The path of a file NAME.key, or a key; see `synapse_from_url`.
        axons: Axons that each process hosts from its first request or `start` on.
        settings: Arguments of `BlockingDendrite`: `namespace`, `dendrite_id`, ...
    """

    def __init__(
        self,
        app: flask.Flask | None = None,
        url: str | None = None,
        *,
        key: KeyLike | None = None,
        axons: Iterable[Axon] = (),
        **settings: Any,
    ) -> None:
        settings.setdefault("dendrite_id", "flask")
        hosted = tuple(axons)
        self._mine = PerProcess(lambda: BlockingDendrite(url, key=key, axons=hosted, **settings))
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
            SynapseUnreachable: No Synapse answers; the next request tries again.
            SynapseRefused: The Synapse refuses the namespace, or is full.
        """
        return self._mine.get()

    def ask(self, **task: Any) -> dict[str, Any]:
        """Send a TASK and return its output, converted for JSON; return it from the view.

        It has the arguments of `Dendrite.ask`. A client that disconnects cancels the task, if the
        server shows its connection (Werkzeug, gunicorn, uWSGI).

        Raises:
            NeuronError: The outcome is an ERROR.
            NeedsAnswer: The outcome is a question.
            TimeoutError: There is no outcome in time.
            CosmonapseError: The TASK could not be sent.
        """
        environ = flask.request.environ
        output: dict[str, Any] = jsonable(
            self._mine.ask(lambda: client_is_gone(environ), with_environ(task, environ))
        )
        return output

    def stream_response(self, *, as_text: bool = False, **task: Any) -> flask.Response:
        """Send a TASK and return a response that streams it.

        A client that disconnects cancels the task. A task that is refused within 0.2 s gets its
        own status instead of a stream. An EventSource that connects again after its last event
        gets status 204, and no task is sent.

        Args:
            as_text: True for the bare texts, False for server-sent events.
            task: Arguments of `Dendrite.dispatch`.

        Raises:
            CosmonapseError: The TASK could not be sent.
        """
        environ = flask.request.environ
        if sse.is_over(environ.get(sse.LAST_EVENT_ID)):
            return flask.Response(status=204)
        stream = self._mine.stream(with_environ(task, environ))
        refusal = refused(stream)
        if refusal is not None:
            return _response(refusal)
        return flask.Response(
            StreamBody(stream, as_text, lambda: client_is_gone(environ)),
            mimetype=TEXT_TYPE if as_text else sse.CONTENT_TYPE,
            headers=dict(sse.HEADERS),
        )

    def start(self) -> None:
        """Start the Dendrite of this process now: its Axons get tasks before the first request.

        Call it in the process that serves, after the fork; see docs/workers.md. Idempotent.

        Raises:
            SynapseUnreachable: No Synapse answers within 5 s.
            SynapseRefused: The Synapse refuses the namespace, or is full.
        """
        self._mine.get()

    def stop(self) -> None:
        """Stop the Dendrite of this process, if it runs."""
        self._mine.stop()


def json_body(*required: str) -> dict[str, Any]:
    """Return the JSON object in the current request.

    Args:
        required: Keys that must be there, with a value other than null and "".

    Raises:
        BadRequest: It is not a JSON object, or lacks a key; becomes status 400.
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
