"""The spans of the calls to model providers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from ..errors import NeuronError
from ..telemetry import content
from ..telemetry import span_names as names
from ..telemetry.model_calls import CallFacts
from ..telemetry.told_values import told_count, told_text
from .api import Span, SpanKind, Tracer, context_api, failed, trace

_CHATS = ("/chat/completions", "/messages")
"""What ends in them takes messages and answers with one; anything else continues a text."""


class ModelSpan:
    """One call to a model."""

    def __init__(self, span: Span, captures_content: bool) -> None:
        self._span = span
        self._captures_content = captures_content

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        """Make it current while the request is sent."""
        token = context_api.attach(trace.set_span_in_context(self._span))
        try:
            yield
        finally:
            context_api.detach(token)

    def answered(self, output: Mapping[str, Any], response_id: str | None) -> None:
        """End it with what the answer says of itself."""
        span, reason = self._span, output.get("finish_reason")
        told = {
            names.RESPONSE_MODEL: _text(output.get("model")),
            names.RESPONSE_ID: _text(response_id),
            names.FINISH_REASONS: None if reason is None else [told_text(reason)],
            names.INPUT_TOKENS: _count(output.get("usage"), names.INPUT_TOKEN_KEYS),
            names.OUTPUT_TOKENS: _count(output.get("usage"), names.OUTPUT_TOKEN_KEYS),
        }
        if self._captures_content:
            text = output.get("response")
            told[names.OUTPUT_MESSAGES] = content.message("assistant", text, told_text(reason))
        span.set_attributes({name: value for name, value in told.items() if value is not None})
        span.end()

    def failed(self, error: BaseException) -> None:
        """End it with the kind of an error; its text may be content, and stays out."""
        code = error.code if isinstance(error, NeuronError) else type(error).__name__
        self._span.set_attribute(names.ERROR_TYPE, code)
        self._span.set_status(failed(code))
        self._span.end()


class ModelSpans:
    """Makes the spans of the calls to models that the runs of one Dendrite make.

    Args:
        tracer: Makes the spans.
        captures_content: Whether prompts and answers are recorded.
    """

    def __init__(self, tracer: Tracer, captures_content: bool) -> None:
        self._tracer = tracer
        self._captures_content = captures_content
        self._is_closed = False

    def close(self) -> None:
        """Make no span any more: not for a run that goes on, and not for what it has started."""
        self._is_closed = True

    def begin(self, facts: CallFacts) -> ModelSpan | None:
        """Begin the span of a call, under that of the run which makes it."""
        if self._is_closed:
            return None
        where = urlsplit(facts.url)
        operation = names.CHAT if where.path.endswith(_CHATS) else names.TEXT_COMPLETION
        attributes: dict[str, Any] = {
            names.OPERATION: operation,
            names.PROVIDER: names.PROVIDER_OF_SOURCE.get(facts.source, facts.source),
        }
        if facts.model is not None:
            attributes[names.REQUEST_MODEL] = facts.model
        if where.hostname:
            attributes[names.SERVER_ADDRESS] = where.hostname
            attributes[names.SERVER_PORT] = where.port or (443 if where.scheme == "https" else 80)
        if self._captures_content:
            attributes[names.INPUT_MESSAGES] = content.messages(facts.given)
        name = names.span_name(operation, facts.model)
        span = self._tracer.start_span(name, None, SpanKind.CLIENT, attributes)
        return ModelSpan(span, self._captures_content)


def _count(usage: Any, keys: Iterable[str]) -> int | None:
    if not isinstance(usage, Mapping):
        return None
    counts = (told_count(usage.get(key)) for key in keys)
    return next((count for count in counts if count is not None), None)


def _text(value: Any) -> str | None:
    return None if value is None else told_text(value)
