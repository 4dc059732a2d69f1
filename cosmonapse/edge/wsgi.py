"""A plain WSGI app with one Dendrite for each process. Needs no framework.

cosmo = Cosmo("cosmo://127.0.0.1:7070", namespace="api-demo")

@cosmo.application
def application(environ):
    return cosmo.ask(environ, neuron="worker", input=json_body(environ, "prompt"))
"""

from __future__ import annotations

import http
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..axon import Axon
from ..signals import Signal
from ..synapse.connect import KeyLike
from . import sse
from .blocking import BlockingDendrite
from .faults import answer_and_log
from .outcomes import JSON_TYPE, BadRequest, HttpAnswer, answer_of, json_object
from .per_process import PerProcess
from .trace_headers import with_environ
from .wsgi_stream import TEXT_TYPE, StreamBody, client_is_gone, refused

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["BadRequest", "Cosmo", "HttpAnswer", "Streamed", "json_body"]

MAX_BODY_BYTES = 16 * 1024 * 1024
Outcome = Signal | Mapping[str, Any] | BaseException | HttpAnswer


class Streamed:
    """A task to be streamed to the client; a view may return it."""

    def __init__(self, body: StreamBody, content_type: str) -> None:
        self.body = body
        self.content_type = content_type


class Cosmo:
    """A Dendrite for a WSGI app, started by the first request of each process that needs it.

    Args:
        url: The Synapse; see `synapse_from_url`.
        key: The path of a file NAME.key, or a key; see `synapse_from_url`.
        axons: Axons that each process hosts from its first request or `start` on.
        settings: Arguments of `BlockingDendrite`: `namespace`, `dendrite_id`, ...
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        key: KeyLike | None = None,
        axons: Iterable[Axon] = (),
        **settings: Any,
    ) -> None:
        settings.setdefault("dendrite_id", "wsgi")
        hosted = tuple(axons)
        self._mine = PerProcess(lambda: BlockingDendrite(url, key=key, axons=hosted, **settings))

    @property
    def dendrite(self) -> BlockingDendrite:
        """The Dendrite of this process, running.

        Raises:
            SynapseUnreachable: No Synapse answers; the next request tries again.
            SynapseRefused: The Synapse refuses the namespace, or is full.
        """
        return self._mine.get()

    def ask(self, environ: WSGIEnvironment, **task: Any) -> dict[str, Any]:
        """Send a TASK and return its output; return it from the view.

        It has the arguments of `Dendrite.ask`. A client that disconnects cancels the task, if the
        server shows its connection in `environ`.

        Raises:
            NeuronError: The outcome is an ERROR.
            NeedsAnswer: The outcome is a question.
            TimeoutError: There is no outcome in time.
            CosmonapseError: The TASK could not be sent.
        """
        return self._mine.ask(lambda: client_is_gone(environ), with_environ(task, environ))

    def stream(
        self, environ: WSGIEnvironment, *, as_text: bool = False, **task: Any
    ) -> Streamed | HttpAnswer:
        """Send a TASK and stream it; return the result from the view.

        A client that disconnects cancels the task. A task that is refused within 0.2 s gets its
        own status instead of a stream. An EventSource that connects again after its last event
        gets status 204, and no task is sent.

        Args:
            environ: The environment of the request.
            as_text: True for the bare texts, False for server-sent events.
            task: Arguments of `Dendrite.dispatch`.

        Raises:
            CosmonapseError: The TASK could not be sent.
        """
        if sse.is_over(environ.get(sse.LAST_EVENT_ID)):
            return HttpAnswer(204, {})
        stream = self._mine.stream(with_environ(task, environ))
        refusal = refused(stream)
        if refusal is not None:
            return refusal
        body = StreamBody(stream, as_text, lambda: client_is_gone(environ))
        return Streamed(body, f"{TEXT_TYPE if as_text else sse.CONTENT_TYPE}; charset=utf-8")

    def application(self, view: Callable[[WSGIEnvironment], Outcome | Streamed]) -> WSGIApplication:
        """Return a WSGI application for a view, a function that receives `environ`.

        The view returns an output, a reply, the result of `stream`, or an `HttpAnswer`. An
        exception becomes JSON with a status, by the table of docs/edge.md.
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
            except Exception as error:  # noqa: BLE001  # the last handler: it becomes 500 and a log entry
                answer = answer_and_log(error)
                content = answer.content
            start_response(_status_line(answer.status), _headers(answer, content))
            return [content]

        return application

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


def json_body(environ: WSGIEnvironment, *required: str) -> dict[str, Any]:
    """Return the JSON object in a request; at most 16 MiB.

    Args:
        environ: The environment of the request.
        required: Keys that must be there, with a value other than null and "".

    Raises:
        BadRequest: It is not a JSON object, lacks a key, is too large or of unknown length;
            becomes status 400.
    """
    try:
        size = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise BadRequest("the header Content-Length must be a number of bytes") from None
    if not 0 <= size <= MAX_BODY_BYTES:
        raise BadRequest(
            f"the body of a request may have at most {MAX_BODY_BYTES:,} bytes, not {size:,}"
        )
    raw = environ["wsgi.input"].read(size)
    return json_object(raw, environ.get("CONTENT_TYPE"), *required)


def _answer(outcome: Outcome) -> HttpAnswer:
    if isinstance(outcome, HttpAnswer):
        return outcome
    return answer_and_log(outcome) if isinstance(outcome, BaseException) else answer_of(outcome)


def _headers(answer: HttpAnswer, content: bytes) -> list[tuple[str, str]]:
    described = {"Content-Type": JSON_TYPE, "Content-Length": str(len(content))} if content else {}
    return [*described.items(), *answer.headers.items()]


def _status_line(status: int) -> str:
    known = {each.value: each.phrase for each in http.HTTPStatus}
    return f"{status} {known.get(status, 'Client Closed Request')}"
