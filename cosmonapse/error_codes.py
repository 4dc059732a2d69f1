"""The codes of an ERROR Signal, with what a retry, an edge and a command make of each. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import attrs


@attrs.frozen
class CodeFacts:
    """The meaning of a code of an ERROR Signal.

    Args:
        recoverable: Whether a retry may help.
        http_status: The status that an HTTP edge answers with.
        exit_code: The exit code of a command line.
    """

    recoverable: bool
    http_status: int
    exit_code: int


CODES: Mapping[str, CodeFacts] = MappingProxyType(
    {
        "NO_SUCH_NEURON": CodeFacts(True, 503, 3),
        "NO_CAPABLE_NEURON": CodeFacts(True, 503, 3),
        "OVERLOADED": CodeFacts(True, 503, 1),
        "WORKER_LOST": CodeFacts(True, 502, 1),
        "TASK_LOST": CodeFacts(True, 502, 1),
        "REPLY_LOST": CodeFacts(False, 502, 1),
        "ACCESS_DENIED": CodeFacts(False, 403, 5),
        "SYNAPSE_AWAY": CodeFacts(True, 503, 3),
        "EXPIRED": CodeFacts(False, 504, 4),
        "CANCELLED": CodeFacts(False, 499, 1),
        "CANCEL_TIMEOUT": CodeFacts(False, 504, 4),
        "NEURON_EXCEPTION": CodeFacts(False, 502, 1),
        "NEURON_ERROR": CodeFacts(False, 502, 1),
        "BAD_OUTPUT": CodeFacts(False, 502, 1),
        "BAD_SIGNAL": CodeFacts(False, 400, 2),
        "BAD_INPUT": CodeFacts(False, 400, 2),
        "PROVIDER_ERROR": CodeFacts(False, 502, 1),
        "PROVIDER_UNREACHABLE": CodeFacts(True, 502, 1),
        "TOOL_ERROR": CodeFacts(False, 502, 1),
        "TOOL_UNREACHABLE": CodeFacts(True, 502, 1),
        "TOOL_LOOP": CodeFacts(False, 502, 1),
    }
)
_OTHER = CodeFacts(recoverable=False, http_status=502, exit_code=1)


def facts_of(code: str) -> CodeFacts:
    """Return the facts of `code`; a code of a Neuron's own is not recoverable, 502, exit 1."""
    return CODES.get(code, _OTHER)
