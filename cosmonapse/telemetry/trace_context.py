"""The trace context of the W3C in the meta of a TASK: `traceparent` and `tracestate`. Pure.

Spec: docs/spec/07-signals.md, "Trace context"; https://www.w3.org/TR/trace-context/.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

TRACEPARENT = "traceparent"
TRACESTATE = "tracestate"
MAX_TRACESTATE_CHARACTERS = 512
_MAX_TRACEPARENT_CHARACTERS = 256
_MAX_MEMBERS = 32
_SAMPLED = 1
_TRACEPARENT = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})"
    r"(?P<more>-.*)?"
)
# Blanks, then a key of lower case, then a value of printable ASCII without "," and "=".
_MEMBER = re.compile(
    r"[ \t]*[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}"
    r"[\x21-\x2b\x2d-\x3c\x3e-\x7e][ \t]*"
)


class TraceContext(NamedTuple):
    """Where a TASK belongs in a trace of another tool.

    Attributes:
        trace_id: The trace, 128 bits.
        span_id: The span that sent it, 64 bits.
        flags: 1 if that span is recorded, else 0.
        state: The `tracestate` as it came, empty without one.
    """

    trace_id: int
    span_id: int
    flags: int
    state: str = ""


class FoundContext(NamedTuple):
    """What the meta of a TASK, or the headers of a request, say.

    Attributes:
        context: The context; None if there is none, or an invalid one.
        dropped_count: The number of values that are invalid and count as absent.
    """

    context: TraceContext | None
    dropped_count: int = 0


_NOTHING = FoundContext(None)


def found_in(values: Mapping[str, Any]) -> FoundContext:
    """Return the trace context in the meta of a TASK; it never raises, whatever is there."""
    if TRACEPARENT not in values:
        return _NOTHING
    context = _parsed(values[TRACEPARENT])
    if context is None:
        return FoundContext(None, 1)
    state = values.get(TRACESTATE)
    if state is None or state == "":
        return FoundContext(context)
    if not is_tracestate(state):
        return FoundContext(context, 1)
    return FoundContext(context._replace(state=state))


def _parsed(text: Any) -> TraceContext | None:
    if not isinstance(text, str) or len(text) > _MAX_TRACEPARENT_CHARACTERS:
        return None
    match = _TRACEPARENT.fullmatch(text)
    if match is None:
        return None
    version, more = match["version"], match["more"]
    trace_id, span_id = int(match["trace"], 16), int(match["span"], 16)
    # A later version may append something; ff is none, and zeros are no ids.
    if version == "ff" or (version == "00" and more is not None) or not trace_id or not span_id:
        return None
    return TraceContext(trace_id, span_id, int(match["flags"], 16) & _SAMPLED)


def is_tracestate(text: Any) -> bool:
    """Return whether a value is a valid `tracestate` of at most 512 characters."""
    if not isinstance(text, str) or len(text) > MAX_TRACESTATE_CHARACTERS:
        return False
    members = [each for each in text.split(",") if each.strip(" \t")]
    keys = {each.partition("=")[0].strip(" \t") for each in members}
    return (
        0 < len(members) <= _MAX_MEMBERS
        and len(keys) == len(members)
        and all(_MEMBER.fullmatch(each) for each in members)
    )


def traceparent_of(trace_id: int, span_id: int, flags: int) -> str:
    """Return a `traceparent` of version 00."""
    return f"00-{trace_id:032x}-{span_id:016x}-{flags & _SAMPLED:02x}"


def passed_on(headers: Mapping[str, Any]) -> dict[str, str]:
    """Return what of the headers of a request goes on in the meta of a TASK; empty if invalid.

    Args:
        headers: With names in lower case; others are ignored.
    """
    if headers.get(TRACEPARENT) is None:
        return {}
    context, _ = found_in(headers)
    if context is None:
        return {}
    meta = {TRACEPARENT: str(headers[TRACEPARENT])}
    return {**meta, TRACESTATE: context.state} if context.state else meta
