"""Everything that can go wrong, as one tree, and the codes an ERROR Signal may carry. Pure.

CosmonapseError
├── LocalError                  the program at hand can mend it
│   ├── InvalidName             a neuron id, capability or namespace outside the alphabet
│   ├── InvalidUrl              a Synapse URL that names no endpoint
│   ├── UnencodableValue        a value that no Signal can carry, with its path
│   ├── SignalTooLarge          a Signal over the size limit, refused before it leaves
│   ├── DendriteProtocolError   a call out of turn or out of role
│   ├── PathwayClosedError      a Pathway that is closed and has nothing left
│   ├── PortInUse               a Synapse cannot listen where it was told to
│   ├── RegistryStoreError      the file of a registry store cannot be used
│   └── MissingExtra            an optional package is not installed
└── RemoteError                 the other end, or the way there
    ├── SynapseUnreachable      nobody answers under that URL
    ├── SynapseRefused          the Synapse answered no
    ├── BadSignal               bytes that are no Signal
    ├── NeuronError             a Neuron ended its task with an ERROR
    ├── NeedsAnswer             a Neuron asked back instead of answering
    └── Question                a Neuron raises one to ask instead of answering
        ├── Clarification       it needs to know more
        ├── PermissionNeeded    it needs somebody's consent
        └── Escalation          it cannot go on by itself
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import attrs


class CosmonapseError(Exception):
    """Root of every error this package raises by itself."""


class LocalError(CosmonapseError):
    """The program at hand did something that it can mend."""


class RemoteError(CosmonapseError):
    """The other end, or the way there, failed."""


class InvalidName(LocalError, ValueError):
    """A name outside `[A-Za-z0-9._-]{1,128}`.

    Attributes:
        what: Which name it is, such as `neuron_id`.
        value: What was given.
    """

    def __init__(self, what: str, value: object) -> None:
        super().__init__(
            f"{what} must be 1 to 128 characters out of A-Z a-z 0-9 . _ - and is {value!r:.200}"
        )
        self.what = what
        self.value = value


class InvalidUrl(LocalError, ValueError):
    """A Synapse URL that names no endpoint.

    Attributes:
        url: What was given, with any password masked.
        reason: Which part is wrong and what would be right.
    """

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"bad Synapse URL {url!r}: {reason}")
        self.url = url
        self.reason = reason


class UnencodableValue(LocalError, TypeError):
    """A value that no Signal can carry.

    Attributes:
        path: Where it sits, such as `payload.input.items[3]`.
        reason: What is wrong with it.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"{path} cannot travel: {reason}; a Signal carries None, bool, int (64 bit), float, "
            "str, bytes, list and dict with str keys"
        )
        self.path = path
        self.reason = reason


class SignalTooLarge(LocalError, ValueError):
    """A Signal over the size limit; nothing of it left.

    Attributes:
        size: Its encoded size in bytes.
        limit: The limit in bytes.
    """

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(
            f"the Signal has {size:,} bytes, the limit is {limit:,}: send a reference instead, "
            "or raise max_signal_bytes on both ends and on the Synapse"
        )
        self.size = size
        self.limit = limit


class DendriteProtocolError(LocalError, RuntimeError):
    """A call out of turn or out of role; the text says what to do instead."""


class PathwayClosedError(LocalError, RuntimeError):
    """A Pathway that is closed and has nothing left of what was asked for."""


class PortInUse(LocalError, OSError):
    """A Synapse cannot listen where it was told to.

    Attributes:
        where: Host and port, or the path of a Unix socket.
    """

    def __init__(
        self,
        where: str,
        reason: str,
        hint: str = "choose another port (--port) or a host of this machine",
    ) -> None:
        super().__init__(f"cannot listen on {where}: {reason}; {hint}")
        self.where = where


class RegistryStoreError(LocalError, OSError):
    """The file of a registry store cannot be used.

    Attributes:
        path: The file.
        reason: What was seen.
    """

    def __init__(self, path: str, reason: str, hint: str) -> None:
        super().__init__(f"cannot use the registry store {path}: {reason}; {hint}")
        self.path = path
        self.reason = reason


class MissingExtra(LocalError, ImportError):
    """An optional package is not installed.

    Attributes:
        package: What is missing.
        extra: The extra of this project that brings it.
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"{package} is not installed; it comes with the extra [{extra}]: "
            f"run pip install '.[{extra}]' in the checkout"
        )
        self.package = package
        self.extra = extra


class SynapseUnreachable(RemoteError, ConnectionError):
    """Nobody answers under that URL.

    Attributes:
        url: The Synapse URL.
        reason: What was seen on the way there.
    """

    def __init__(self, url: str, reason: str, hint: str) -> None:
        super().__init__(f"no Synapse at {url}: {reason}; {hint}")
        self.url = url
        self.reason = reason


class SynapseRefused(RemoteError, ConnectionError):
    """The Synapse answered no; asking again would change nothing.

    Attributes:
        url: The Synapse URL.
        reason: The Synapse's own words.
    """

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"the Synapse at {url} refused this Dendrite: {reason}")
        self.url = url
        self.reason = reason


class BadSignal(RemoteError, ValueError):
    """Bytes that are no Signal; the text names the field."""


class NeuronError(RemoteError):
    """A Neuron ended its task with an ERROR; a Neuron may raise it to do so.

    Args:
        code: One of `CODES`, or a code of the Neuron's own.
        message: For people.
        recoverable: Whether trying again may help; by default what `CODES` says, else False.
    """

    def __init__(self, code: str, message: str, recoverable: bool | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.recoverable = facts_of(code).recoverable if recoverable is None else recoverable


class Question(RemoteError):
    """What a Neuron raises to ask instead of answering; its TASK ends with that Signal.

    Attributes:
        payload: The payload of the Signal.
    """

    def __init__(self, text: str, **payload: Any) -> None:
        super().__init__(text)
        self.payload = {key: value for key, value in payload.items() if value is not None}


class Clarification(Question):
    """Ask the caller a question; the same input comes again, with `clarification` in it.

    Args:
        question: The question.
        context: What helps to answer it.
    """

    def __init__(self, question: str, context: Any = None) -> None:
        super().__init__(question, question=question, context=context)


class PermissionNeeded(Question):
    """Ask for consent; the same input comes again, with `permission` in it.

    Args:
        action: What the Neuron wants to do.
        scope: To what it is limited.
        reason: Why.
        context: What helps to decide.
    """

    def __init__(
        self, action: str, scope: Any = None, reason: str | None = None, context: Any = None
    ) -> None:
        super().__init__(action, action=action, scope=scope, reason=reason, context=context)


class Escalation(Question):
    """Hand the task to whoever can decide.

    Args:
        reason: Why the Neuron cannot go on.
        target: The neuron id that should take over.
        context: What helps it.
    """

    def __init__(self, reason: str, target: str | None = None, context: Any = None) -> None:
        super().__init__(reason, reason=reason, target=target, context=context)


class NeedsAnswer(RemoteError):
    """A Neuron asked back instead of answering.

    Attributes:
        signal: The CLARIFICATION, PERMISSION or ESCALATION.
    """

    def __init__(self, signal: Any) -> None:
        payload = signal.payload
        asked = payload.get("question") or payload.get("action") or payload.get("reason")
        super().__init__(
            f"the Neuron sent {signal.type.value} instead of an output: {asked}; a handler, "
            "another Dendrite or `cosmo answer` may answer it (answer_elsewhere)"
        )
        self.signal = signal


@attrs.frozen
class CodeFacts:
    """What a code of an ERROR Signal means to those who pass it on.

    Args:
        recoverable: Whether trying again may help.
        http_status: What an HTTP edge answers.
        exit_code: What a command line exits with.
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
        "EXPIRED": CodeFacts(False, 504, 4),
        "CANCELLED": CodeFacts(False, 499, 1),
        "CANCEL_TIMEOUT": CodeFacts(False, 504, 4),
        "NEURON_EXCEPTION": CodeFacts(False, 502, 1),
        "BAD_OUTPUT": CodeFacts(False, 502, 1),
        "BAD_SIGNAL": CodeFacts(False, 400, 2),
        "BAD_INPUT": CodeFacts(False, 400, 2),
        "PROVIDER_ERROR": CodeFacts(False, 502, 1),
        "PROVIDER_UNREACHABLE": CodeFacts(True, 502, 1),
    }
)
_OTHER = CodeFacts(recoverable=False, http_status=502, exit_code=1)


def facts_of(code: str) -> CodeFacts:
    """Return the facts of `code`; a Neuron's own code counts as not recoverable, 502, exit 1."""
    return CODES.get(code, _OTHER)
