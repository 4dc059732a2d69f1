"""The answers of an HTTP edge: one table from outcomes to status, JSON body and headers. Pure.

An outcome is the Signal that settled a task, its output, or the exception that came instead.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

import attrs

from ..errors import (
    AccessRefused,
    BadSignal,
    CosmonapseError,
    DendriteProtocolError,
    InvalidCarrier,
    InvalidContext,
    InvalidKey,
    InvalidName,
    InvalidUrl,
    NeedsAnswer,
    NeuronError,
    RemoteError,
    SignalTooLarge,
    SynapseRefused,
    SynapseUnreachable,
    UnencodableValue,
    facts_of,
)
from ..raised import leaves_of
from ..signals import QUESTIONS, Signal

JSON_TYPE = "application/json"
_QUESTION_KEYS = ("question", "action", "scope", "reason", "target", "context")
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_HEADERS_OF_CODE: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"OVERLOADED": MappingProxyType({"Retry-After": "1"})}
)
_KINDS = MappingProxyType(
    {list: "an array", str: "a string", bool: "true or false", type(None): "null"}
)
_LATE_CODES = frozenset({"EXPIRED", "SYNAPSE_AWAY"})
Log = Literal["no", "line", "traceback"]


class BadRequest(CosmonapseError, ValueError):
    """An HTTP request that cannot become a task; the text is for its sender."""


@attrs.frozen
class HttpAnswer:
    """The answer to an HTTP client.

    Args:
        status: The HTTP status.
        body: The value that becomes JSON.
        headers: Beside the content type.
        log: The entry in the log of the service: none, one line, or a traceback too.
    """

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = _NO_HEADERS
    log: Log = "no"

    @property
    def content(self) -> bytes:
        """The body as JSON; nothing with status 204."""
        return b"" if self.status == 204 else to_json(self.body)


@attrs.frozen
class _Facts:
    """The answer for an exception. Without `text` it is the text of the exception."""

    status: int
    code: str
    retry: bool = False
    text: str | None = None
    log: Log = "no"


_AWAY = "the service behind this one cannot be reached at the moment; try again later"
_AWAY_LATER = (
    "the service behind this one has been lost since it got the task, which may have run there"
)
# How a Dendrite says in the error of a late task that its Synapse is away. It names the URL.
_SAYS_AWAY = re.compile(r"the Synapse at \S+ has been away").search
_REFUSED = "the service behind this one refuses the connection; its operator must check the setup"
_NO_RIGHT = "the service behind this one does not let it do that; its log has the reason"
_NOT_RUNNING = "this service is starting or stopping, or its setup is wrong; its log has the reason"
_FAILED = "this service failed; its log has the reason"
_WRONG_SETUP = _Facts(503, "NOT_READY", text=_NOT_RUNNING, log="line")
_UNEXPECTED = _Facts(500, "INTERNAL_ERROR", text=_FAILED, log="traceback")
_FACTS: Mapping[type[BaseException], _Facts] = MappingProxyType(
    {
        BadRequest: _Facts(400, "BAD_REQUEST"),
        InvalidName: _Facts(400, "BAD_REQUEST"),
        InvalidCarrier: _WRONG_SETUP,
        InvalidContext: _WRONG_SETUP,
        InvalidKey: _WRONG_SETUP,
        InvalidUrl: _WRONG_SETUP,
        UnencodableValue: _Facts(400, "BAD_REQUEST"),
        BadSignal: _Facts(400, "BAD_SIGNAL"),
        SignalTooLarge: _Facts(413, "TOO_LARGE"),
        TimeoutError: _Facts(504, "EXPIRED"),
        SynapseUnreachable: _Facts(503, "SYNAPSE_UNREACHABLE", True, _AWAY, "line"),
        AccessRefused: _Facts(403, "ACCESS_DENIED", False, _NO_RIGHT, "line"),
        SynapseRefused: _Facts(503, "SYNAPSE_REFUSED", False, _REFUSED, "line"),
        DendriteProtocolError: _Facts(503, "NOT_READY", False, _NOT_RUNNING, "traceback"),
        RemoteError: _Facts(502, "REMOTE_ERROR", False, _AWAY, "traceback"),
        BaseException: _UNEXPECTED,
    }
)


def answer_of(
    outcome: Signal | Mapping[str, Any] | BaseException, trace_id: str | None = None
) -> HttpAnswer:
    """Return the answer to an HTTP client for an outcome.

    Args:
        outcome: The Signal that settled a task, an output, or an exception.
        trace_id: The workflow, for an outcome that does not name it.
    """
    if isinstance(outcome, Signal):
        return _of_signal(outcome)
    if isinstance(outcome, BaseException):
        return _of_error(outcome, trace_of(outcome) or trace_id)
    return HttpAnswer(200, outcome)


def _of_signal(signal: Signal) -> HttpAnswer:
    if signal.type in QUESTIONS:
        return _of_question(signal)
    try:
        return HttpAnswer(200, signal.output)
    except (NeuronError, AttributeError) as error:  # AttributeError: it settles nothing
        return _of_error(error, signal.trace_id)


def _of_question(signal: Signal) -> HttpAnswer:
    asked = {key: signal.payload[key] for key in _QUESTION_KEYS if key in signal.payload}
    told = f"the Neuron sent {signal.type.value} instead of an output"
    return HttpAnswer(409, _body(told, signal.type.value, False, signal.trace_id) | asked)


def _of_error(error: BaseException, trace_id: str | None) -> HttpAnswer:
    if isinstance(error, BaseExceptionGroup):
        return _of_group(error, trace_id)
    if isinstance(error, NeedsAnswer) and isinstance(error.signal, Signal):
        return _of_question(error.signal)
    late = _of_late_task(error, trace_id)
    if late is not None:
        return late
    if isinstance(error, NeuronError):
        body = _body(error.message, error.code, error.recoverable, trace_id)
        status = facts_of(error.code).http_status
        asked_s = getattr(error, "retry_after_s", None)
        if asked_s is None:
            return HttpAnswer(status, body, _HEADERS_OF_CODE.get(error.code, _NO_HEADERS))
        wait_s = math.ceil(asked_s)
        return HttpAnswer(status, {**body, "retry_after_s": wait_s}, {"Retry-After": str(wait_s)})
    facts = next(_FACTS[each] for each in type(error).__mro__ if each in _FACTS)
    # The path of a value begins at the input, which is all that the client has sent.
    text = str(error).removeprefix("payload.input.") if facts.text is None else facts.text
    return HttpAnswer(facts.status, _body(text, facts.code, facts.retry, trace_id), log=facts.log)


def _of_late_task(error: BaseException, trace_id: str | None) -> HttpAnswer | None:
    """Return the answer for a task whose time ended while the Synapse was away; else None."""
    is_late = isinstance(error, TimeoutError) or (
        isinstance(error, NeuronError) and error.code in _LATE_CODES
    )
    if not is_late or _SAYS_AWAY(str(error)) is None:
        return None
    never_left = isinstance(error, SynapseUnreachable) or (
        isinstance(error, NeuronError) and error.recoverable
    )
    text = _AWAY if never_left else _AWAY_LATER
    body = _body(text, "SYNAPSE_UNREACHABLE", never_left, trace_id)
    return HttpAnswer(503, body, log="line")


def _of_group(group: BaseExceptionGroup[BaseException], trace_id: str | None) -> HttpAnswer:
    """Return the answer for the tasks of a group: of the first that no retry helps, or the first.

    Its text names all of them. A group with anything else in it is a failure of this service.
    """
    if not is_outcome(group):
        return HttpAnswer(500, _body(_FAILED, "INTERNAL_ERROR", False, trace_id), log="traceback")
    answers = [_of_error(leaf, trace_of(leaf) or trace_id) for leaf in leaves_of(group)]
    worst = next((each for each in answers if not each.body["retry"]), answers[0])
    texts = dict.fromkeys(str(each.body["error"]) for each in answers)
    return attrs.evolve(worst, body={**worst.body, "error": "; ".join(texts)})


def _body(error: str, code: str, retry: bool, trace_id: str | None) -> dict[str, Any]:
    return {"error": error, "code": code, "retry": retry, "trace_id": trace_id}


def mark(error: BaseException, trace_id: str | None) -> None:
    """Mark an exception as the outcome of a task of this edge, with its workflow."""
    vars(error)["outcome_of"] = trace_id or ""


def is_outcome(error: BaseException) -> bool:
    """Return whether an exception is an outcome of this edge, or another one of the same class.

    A group is one if all of its leaves are.
    """
    return all(
        isinstance(leaf, CosmonapseError) or "outcome_of" in vars(leaf) for leaf in leaves_of(error)
    )


def trace_of(error: BaseException) -> str | None:
    """Return the workflow that `mark` recorded."""
    return vars(error).get("outcome_of") or None


def jsonable(value: Any) -> Any:
    """Return `value` converted for JSON: bytes as base64, NaN and infinities as null."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case bytes():
            return base64.b64encode(value).decode()
        case Mapping():
            return {str(key): jsonable(each) for key, each in value.items()}
        case list() | tuple():
            return [jsonable(each) for each in value]
        case _:
            return str(value)


def to_json(value: Any) -> bytes:
    """Return `value` as JSON in UTF-8, on one line; a lone surrogate is escaped."""
    text = json.dumps(jsonable(value), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace")


def json_object(raw: bytes, content_type: str | None, *required: str) -> dict[str, Any]:
    """Return the JSON object that the body of a request holds.

    Args:
        raw: The body.
        content_type: Of the request; it must say JSON, because a page of another origin may make a
            browser send everything else.
        required: Keys that must be there, with a value other than null and "".

    Raises:
        BadRequest: It is not a JSON object, or lacks a key; the text is for its sender.
    """
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind != JSON_TYPE and not kind.endswith("+json"):
        raise BadRequest(f"send JSON, with the header 'Content-Type: {JSON_TYPE}'")
    value = json_value(raw)
    if not isinstance(value, dict):
        kind = _KINDS.get(type(value), "a number")
        raise BadRequest(f"the body must be a JSON object, not {kind}")
    missing = [key for key in required if value.get(key) in (None, "")]
    if missing:
        raise BadRequest(f"the JSON object lacks {', '.join(missing)}")
    return value


def json_value(raw: bytes) -> Any:
    """Return the value of JSON that the body of a request holds.

    Python reads more than JSON has: NaN, the infinities and UTF-16 are refused here, as by every
    other reader.

    Args:
        raw: The body.

    Raises:
        BadRequest: It is none; the text is for its sender.
    """
    if not raw.strip():
        raise BadRequest("the body of the request is empty: send a JSON object")
    try:
        return json.loads(raw.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        why = _why_no_json(error)
        raise BadRequest(f"the body of the request is not valid JSON: {why}") from None


def _refuse_constant(name: str) -> None:
    raise _NoNumber(f"it has {name}, which is no number of JSON")


class _NoNumber(ValueError):
    """NaN or an infinity."""


def _why_no_json(error: ValueError | RecursionError) -> str:
    """Return what is wrong with a text, and where, without what it holds."""
    match error:
        case json.JSONDecodeError():
            return f"{error.msg}, at line {error.lineno}, column {error.colno}"
        case UnicodeDecodeError():
            return f"it is not in UTF-8, at byte {error.start}"
        case _NoNumber():
            return str(error)
        case RecursionError():
            return "it is nested too deep"
        case _:
            return "it has a number with too many digits"
