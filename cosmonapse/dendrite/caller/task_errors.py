"""The errors of a task that got no reply: the code and the text of each. Pure.

Spec: docs/spec/03-routing.md, "Reasons".
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ...errors import BadSignal, facts_of
from ...signals import Directed, Signal, SignalType
from .open_tasks import OpenTask

_CODE_OF_REASON: Mapping[str, str] = MappingProxyType(
    {
        "busy": "OVERLOADED",
        "expired": "EXPIRED",
        "forbidden": "ACCESS_DENIED",
        "worker_lost": "WORKER_LOST",
        "reply_lost": "REPLY_LOST",
    }
)
_MESSAGES: Mapping[str, str] = MappingProxyType(
    {
        "NO_SUCH_NEURON": "no live Axon serves {target}: start one, or check the id and namespace",
        "NO_CAPABLE_NEURON": "no live Axon for {target}: start one, or check the namespace",
        "OVERLOADED": "{target} accepts no more tasks now: try again later, or start a replica",
        "SYNAPSE_AWAY": "the task for {target} never left: the Synapse is away; send it again",
        "EXPIRED": "the task for {target} did not end within its timeout of {timeout_s:g} s",
        "CANCELLED": "the caller cancelled the task for {target}",
        "WORKER_LOST": "the worker that ran the task for {target} is gone",
        "REPLY_LOST": "{target} ran the task, but its reply is lost",
        "ACCESS_DENIED": "the key of this Dendrite may not send TASKs to {target}: whoever keeps "
        "the keys of the Synapse can allow it with 'cosmo keys allow'",
        "TASK_LOST": "it is unknown whether {target} ran the task",
    }
)


def code_of(reason: str, opened: OpenTask) -> str:
    """Return the code of ERROR for a reason of a BOUNCE or LOST."""
    if reason in ("no_route", "bad_address"):
        directed = opened.signal.directed
        named = directed is not None and directed.id is not None
        return "NO_SUCH_NEURON" if named else "NO_CAPABLE_NEURON"
    return _CODE_OF_REASON.get(reason, "TASK_LOST")


def error_for(opened: OpenTask, code: str, why: str = "") -> Signal:
    """Return the ERROR that the caller's side makes for a task without a reply.

    Its producer is the neuron that the TASK named, if it named one, so that filters by neuron
    match its failures too.
    """
    asked = opened.signal.directed or Directed()
    message = _MESSAGES[code].format(target=opened.target, timeout_s=opened.timeout_s)
    return opened.signal.reply(
        SignalType.ERROR,
        payload={
            "code": code,
            "message": f"{message}: {why}" if why else message,
            "recoverable": facts_of(code).recoverable,
        },
        directed=Directed(asked.id, "neuron", asked.capabilities),
    )


def timeout_error(opened: OpenTask, why: str = "") -> TimeoutError:
    """Return the exception for the caller of a task, or of its question, that is late."""
    if opened.question is not None:
        return TimeoutError(
            f"nobody answered the {opened.question.type.value} of {opened.target} on trace "
            f"{opened.signal.trace_id} within {opened.timeout_s:g} s"
        )
    return TimeoutError(
        f"no reply from {opened.target} on trace {opened.signal.trace_id} "
        f"within {opened.timeout_s:g} s{why and ': '}{why}"
    )


def unreadable(opened: OpenTask, error: BadSignal) -> Signal:
    """Return the ERROR for a last reply that cannot be read."""
    return opened.signal.reply(
        SignalType.ERROR,
        payload={
            "code": "BAD_OUTPUT",
            "message": f"the reply could not be read: {error}",
            "recoverable": False,
        },
        directed=opened.signal.directed,
    )
