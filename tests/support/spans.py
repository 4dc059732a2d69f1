"""The spans of a test: an exporter in memory, and the tree that its spans make."""

import json
from dataclasses import dataclass

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


class Spans:
    """Ended spans, in memory.

    Attributes:
        provider: The TracerProvider that makes them.
    """

    def __init__(self):
        self.provider = TracerProvider()
        self._exporter = InMemorySpanExporter()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    @property
    def tracer(self):
        return self.provider.get_tracer("test")

    @property
    def all(self):
        return list(self._exporter.get_finished_spans())

    def named(self, name):
        return [span for span in self.all if span.name == name]

    def one(self, name):
        (span,) = self.named(name)
        return span

    def tree(self):
        """Return each span as `parent > name`, sorted; the parent of a root is empty."""
        names = {span.context.span_id: span.name for span in self.all}
        return sorted(
            f"{'' if span.parent is None else names.get(span.parent.span_id, '?')} > {span.name}"
            for span in self.all
        )

    def trace_ids(self):
        return {span.context.trace_id for span in self.all}

    def everything_said(self):
        """Return all that the spans say, as one text."""
        return "\n".join(span.to_json() for span in self.all)


@dataclass(frozen=True)
class Printed:
    """A span that a process has printed, by the exporter `console`."""

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str | None
    attributes: dict


def printed(lines):
    """Return the spans among the lines that a process has printed."""
    text, decoder, found = "\n".join(lines), json.JSONDecoder(), []
    at = text.find("{\n")
    while at >= 0:
        span, end = decoder.raw_decode(text, at)
        found.append(_printed(span))
        at = text.find("{\n", end)
    return found


def _printed(span):
    kind = span["kind"].removeprefix("SpanKind.")
    context = span["context"]
    return Printed(
        span["name"],
        kind,
        context["trace_id"].removeprefix("0x"),
        context["span_id"].removeprefix("0x"),
        None if span["parent_id"] is None else span["parent_id"].removeprefix("0x"),
        span["attributes"],
    )


def tree_of(spans, names=None):
    """Return each span as `parent > name`, sorted; `names` are those of further parents by id."""
    known = {**(names or {}), None: "", **{span.span_id: span.name for span in spans}}
    return sorted(f"{known.get(span.parent_id, '?')} > {span.name}" for span in spans)


def printed_by_node(lines):
    """Return the spans among the lines of `traced.js` of the JavaScript client."""
    spans = [json.loads(line.removeprefix("span ")) for line in lines if line.startswith("span ")]
    return [
        Printed(
            span["name"],
            str(span["kind"]),
            span["traceId"],
            span["spanId"],
            span["parentId"],
            span["attributes"],
        )
        for span in spans
    ]
