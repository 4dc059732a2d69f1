"""Raw WSGI in front, one Dendrite for each process behind it. Needs no framework.

cosmo = Cosmo("cosmo://127.0.0.1:7070", namespace="api-demo")

@cosmo.application
def application(environ):
    return cosmo.ask(environ, neuron="worker", input=json_body(environ, "prompt"))
"""

from __future__ import annotations

import http
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..signals import Signal
from ..synapse.url import DEFAULT_URL
from . import sse
from .blocking import BlockingDendrite
from .faults import answer_and_log
from .outcomes import JSON_TYPE, BadRequest, HttpAnswer, answer_of, json_object
from .per_process import PerProcess
from .wsgi_stream import TEXT_TYPE, StreamBody, client_is_gone, refused

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["BadRequest", "Cosmo", "HttpAnswer", "Streamed", "json_body"]

MAX_BODY_BYTES = 16 * 1024 * 1024
Outcome = Signal | Mapping[str, Any] | BaseException | HttpAnswer


class Streamed:
    """A task that is to be streamed to the client: what a view may return."""

    def __init__(self, body: StreamBody, content_type: str) -> None:
        self.body = body
        self.content_type = content_type


class Cosmo:
    """A Dendrite for a WSGI app, started by the first request of each process that needs it.

    Args:
        url: The Synapse.
        settings: What `BlockingDendrite` takes: `namespace`, `dendrite_id`, ...
    """

    def __init__(self, url: str = DEFAULT_URL, **settings: Any) -> None:
        settings.setdefault("dendrite_id", "wsgi")
        self._mine = PerProcess(lambda: BlockingDendrite(url, **settings))

    @property
    def dendrite(self) -> BlockingDendrite:
        """The Dendrite of this process, running.

        Raises:
            SynapseUnreachable: It cannot be started; the next request tries again.
            SynapseRefused: The Synapse does not take it.
        """
        return self._mine.get()

    def ask(self, environ: WSGIEnvironment, **task: Any) -> dict[str, Any]:
        """Send a TASK and return its output; return it from the view.

        Takes what `Dendrite.ask` takes. A client that hangs up meanwhile cancels the task, where
        the server shows its connection in `environ`.

        Raises:
            NeuronError: The outcome is an ERROR.
            NeedsAnswer: It is a question.
            TimeoutError: There is none in time.
            CosmonapseError: It could not be sent.
        """
        return self._mine.ask(lambda: client_is_gone(environ), task)

    def stream(
        self, environ: WSGIEnvironment, *, as_text: bool = False, **task: Any
    ) -> Streamed | HttpAnswer:
        """Send a TASK and stream it; return it from the view. A client that hangs up cancels it.

        Takes what `Dendrite.dispatch` takes. A task that is refused within 0.2 s gets its own
        status instead.

        Args:
            environ: Of the request.
            as_text: True for the bare texts, False for server-sent events.
            task: Of `Dendrite.dispatch`.

        Raises:
            CosmonapseError: It could not be sent.
        """
        stream = self._mine.stream(task)
        refusal = refused(stream)
        if refusal is not None:
            return refusal
        body = StreamBody(stream, as_text, lambda: client_is_gone(environ))
        return Streamed(body, f"{TEXT_TYPE if as_text else sse.CONTENT_TYPE}; charset=utf-8")

    def application(self, view: Callable[[WSGIEnvironment], Outcome | Streamed]) -> WSGIApplication:
        """Make a WSGI application of a view: it takes `environ` and returns what it wants to say.

        That is an output, a reply, what `stream` returns, or an `HttpAnswer` of its own; whatever
        it raises becomes JSON with a status, by the table of docs/edge.md.
        """

        def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            try:
                outcome = view(environ)
                if isinstance(outcome, Streamed):
                    headers = {"Content-Type": outcome.content_type, **sse.HEADERS}
                    start_response("200 OK", list(headers.items()))
                    return outcome.body
                answer = _answer(outcome)
                content = answer.content
            except Exception as error:  # noqa: BLE001  # the last door: it becomes 500 and a log
                answer = answer_and_log(error)
                content = answer.content
            headers = {
                "Content-Type": JSON_TYPE,
                "Content-Length": str(len(content)),
                **answer.headers,
            }
            start_response(_status_line(answer.status), list(headers.items()))
            return [content]

        return application

    def stop(self) -> None:
        """Stop the Dendrite of this process, if it runs."""
        self._mine.stop()


def json_body(environ: WSGIEnvironment, *required: str) -> dict[str, Any]:
    """Return the JSON object that a request brings; at most 16 MiB.

    Args:
        environ: Of the request.
        required: Keys that must be there, with something behind them.

    Raises:
        BadRequest: It is no JSON, no object, lacks a key, is too large or of unknown length;
            becomes status 400.
    """
    try:
        size = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise BadRequest("the Content-Length is no number") from None
    if not 0 <= size <= MAX_BODY_BYTES:
        raise BadRequest(
            f"the body of a request has at most {MAX_BODY_BYTES:,} bytes, not {size:,}"
        )
    raw = environ["wsgi.input"].read(size)
    return json_object(raw, environ.get("CONTENT_TYPE"), *required)


def _answer(outcome: Outcome) -> HttpAnswer:
    if isinstance(outcome, HttpAnswer):
        return outcome
    return answer_and_log(outcome) if isinstance(outcome, BaseException) else answer_of(outcome)


def _status_line(status: int) -> str:
    known = {each.value: each.phrase for each in http.HTTPStatus}
    return f"{status} {known.get(status, 'Client Closed Request')}"
