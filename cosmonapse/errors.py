"""The errors of this package as one tree. Pure. The codes of an ERROR are in `error_codes`.

CosmonapseError
├── LocalError                  this program can correct it
│   ├── InvalidName             a neuron id, capability or namespace outside the alphabet
│   ├── InvalidUrl              a Synapse URL that names no endpoint
│   ├── InvalidCarrier          a carrier that does not exist
│   ├── InvalidKey              a key, a file of keys or a right that cannot be used
│   ├── InvalidContext          a context, or the file of them, that cannot be used
│   ├── InsecureBind            a Synapse without keys that other machines could reach
│   ├── UnencodableValue        a value that no Signal can carry, with its path
│   ├── SignalTooLarge          a Signal over the size limit, refused before it leaves
│   ├── DendriteProtocolError   a call out of turn or out of role
│   ├── PathwayClosedError      a closed Pathway without the requested Signal
│   ├── PortInUse               a Synapse cannot listen on its address
│   ├── RegistryStoreError      the file of a registry store cannot be used
│   ├── MemoryFileError         the file of a memory or of sessions cannot be used
│   └── MissingExtra            an optional package is not installed, or too old
└── RemoteError                 another process, or the network
    ├── SynapseUnreachable      no Synapse answers at that URL
    │   └── SynapseAway         it went away, and a TASK never left in its time
    ├── SeveralSynapses         more than one is announced on the LAN
    ├── SynapseRefused          the Synapse refused the connection
    │   └── AccessRefused       it does not let this key in, or do something
    ├── BadSignal               bytes that are not a valid Signal
    ├── ToolServerUnreachable   an MCP server cannot be started or reached
    ├── NeuronError             a Neuron ended its task with an ERROR
    ├── NeedsAnswer             a Neuron asked a question instead of answering
    └── Question                a Neuron raises one to ask instead of answering
        ├── Clarification       it needs information
        ├── PermissionNeeded    it needs consent
        └── Escalation          it cannot continue by itself
"""

from __future__ import annotations

import copyreg
import re
from typing import Any, overload

from .error_codes import CODES as CODES
from .error_codes import CodeFacts as CodeFacts
from .error_codes import facts_of as facts_of
from .error_roots import CosmonapseError as CosmonapseError
from .error_roots import LocalError as LocalError
from .error_roots import RemoteError as RemoteError
from .file_errors import MemoryFileError as MemoryFileError
from .file_errors import RegistryStoreError as RegistryStoreError
from .question_errors import Clarification as Clarification
from .question_errors import Escalation as Escalation
from .question_errors import NeedsAnswer as NeedsAnswer
from .question_errors import PermissionNeeded as PermissionNeeded
from .question_errors import Question as Question
from .tool_server_errors import ToolServerUnreachable as ToolServerUnreachable

_SECRET = re.compile(r"csk_\w+")
_MAX_WAIT_S = 30 * 86_400.0  # the longest timeout of a task


def without_secrets(text: str) -> str:
    """Return a text with every secret key in it cut, as one that was given in place of a path."""
    return _SECRET.sub("csk_...", text)


class InvalidName(LocalError, ValueError):
    """A name outside `[A-Za-z0-9._-]{1,128}`.

    Attributes:
        what: The kind of name, such as `neuron_id`.
        value: The value that was given.
    """

    def __init__(self, what: str, value: object) -> None:
        super().__init__(
            f"{what} must be 1 to 128 characters of A-Z a-z 0-9 . _ -, not {value!r:.200}"
        )
        self.what = what
        self.value = value


class InvalidUrl(LocalError, ValueError):
    """A Synapse URL that names no endpoint.

    Attributes:
        url: The URL that was given, any password masked.
        reason: The part that is wrong, and its correct form.
    """

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"invalid Synapse URL {url!r}: {reason}")
        self.url = url
        self.reason = reason


class InvalidCarrier(LocalError, ValueError):
    """A carrier that is neither `zmtp` nor `libzmq`.

    Attributes:
        carrier: The name that was given.
    """

    def __init__(self, carrier: object, variable: str = "") -> None:
        where = f" (it is in {variable})" if variable else ""
        super().__init__(f"carrier must be 'zmtp' or 'libzmq', not {carrier!r:.100}{where}")
        self.carrier = carrier


class InvalidKey(LocalError, ValueError):
    """A key, a file of keys or a right that cannot be used.

    Attributes:
        what: The file, or the text that was given; never a secret.
        reason: The fault, and what to do about it.
    """

    def __init__(self, what: str, reason: str) -> None:
        # As in COSMO_KEY: it must not come back in a text or a log.
        self.what, self.reason = without_secrets(what), without_secrets(reason)
        super().__init__(f"cannot use {self.what}: {self.reason}")


class InvalidContext(LocalError, ValueError):
    """A context, or the file of the contexts, that cannot be used.

    Attributes:
        what: The file, or the context.
        reason: The fault, and what to do about it.
    """

    def __init__(self, what: str, reason: str) -> None:
        self.what, self.reason = without_secrets(what), without_secrets(reason)
        super().__init__(f"cannot use {self.what}: {self.reason}")


class InsecureBind(LocalError, ValueError):
    """A Synapse without keys that would listen beyond this machine.

    Attributes:
        where: The addresses that others could reach.
    """

    def __init__(self, where: str) -> None:
        super().__init__(
            f"{where} can be reached from other machines, and this Synapse has no keys: whoever "
            "reaches it could read and send everything. Give it keys (--keys DIR, "
            "SynapseServer(keys=DIR)), or say that this network is trusted (--insecure, "
            "insecure=True)"
        )
        self.where = where


class UnencodableValue(LocalError, TypeError):
    """A value that no Signal can carry.

    Attributes:
        path: Its place, such as `payload.input.items[3]`.
        reason: The fault of the value.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"{path} cannot be sent: {reason}; a Signal carries None, bool, int (64 bit), float, "
            "str, bytes, list and dict with str keys"
        )
        self.path = path
        self.reason = reason


class SignalTooLarge(LocalError, ValueError):
    """A Signal over the size limit; no part of it was sent.

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
    """A call in the wrong state or role; the text names the right call."""


class PathwayClosedError(LocalError, RuntimeError):
    """A closed Pathway that holds no further Signal of the requested kind."""


class PortInUse(LocalError, OSError):
    """A Synapse cannot listen on its address.

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


class MissingExtra(LocalError, ImportError):
    """An optional package is not installed, or in a version that is not fit.

    Attributes:
        package: The package.
        extra: The extra of this project that contains it.
        found: The version that is installed; empty if there is none.
        wanted: The range of versions that the extra wants, such as `>=2.3,<3`; empty without one.
    """

    def __init__(
        self, package: str, extra: str, found: str = "", wanted: str = "", fault: str = ""
    ) -> None:
        how = f"run pip install '.[{extra}]' in the checkout"
        if found:
            text = f"{package} {found} {fault}; the extra [{extra}] wants {package}{wanted}: {how}"
        else:
            text = f"{package} is not installed; it is in the extra [{extra}]: {how}"
        super().__init__(text)
        self.package, self.extra = package, extra
        self.found, self.wanted = found, wanted


class SynapseUnreachable(RemoteError, ConnectionError):
    """No Synapse answers at that URL.

    Attributes:
        url: The Synapse URL.
        reason: The fault that was seen while connecting.
        hint: What to do now.
    """

    def __init__(self, url: str, reason: str, hint: str) -> None:
        super().__init__(f"no Synapse at {url}: {reason}; {hint}")
        self.url = url
        self.reason = reason
        self.hint = hint


class SynapseAway(SynapseUnreachable, TimeoutError):
    """The Synapse went away, and a TASK waited for it in vain: it ran nowhere.

    Attributes:
        away_s: How long the Synapse has been away, in seconds.
    """

    def __init__(self, url: str, away_s: float, task: str, refusal: str = "") -> None:
        super().__init__(url, f"away for {away_s:.0f} s", "send the TASK again when it is back")
        self.args = (f"{away_text(url, away_s)}{refusal}, and {task} never left: {self.hint}",)
        self.away_s = away_s

    def __str__(self) -> str:
        """Return the text."""
        return str(self.args[0])


def away_text(url: str, away_s: float) -> str:
    """Return how long a Synapse has been away, as a text."""
    digits = 0 if away_s >= 2 else 1
    return f"the Synapse at {url} has been away for {away_s:.{digits}f} s"


class SeveralSynapses(RemoteError, ConnectionError):
    """More than one Synapse is announced on the LAN, and nothing says which one is meant.

    Attributes:
        url: The URL that stands for one of them.
        found: The URL and the name of each, of at most 8.
    """

    def __init__(self, url: str, found: list[str], count: int, as_list: str) -> None:
        more = f" and {count - len(found)} more" if count > len(found) else ""
        super().__init__(
            f"{url} stands for one Synapse, and {count} answer: {', '.join(found)}{more}; name one "
            f"of them (--url, COSMO_URL, a context), or a list such as {as_list} if they stand by "
            "for each other"
        )
        self.url = url
        self.found = found


class SynapseRefused(RemoteError, ConnectionError):
    """The Synapse refused the connection; a retry would fail too.

    Attributes:
        url: The Synapse URL.
        reason: The reason that the Synapse gave.
    """

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"the Synapse at {url} refused this Dendrite: {reason}")
        self.url = url
        self.reason = reason


class AccessRefused(SynapseRefused):
    """The Synapse does not let this Dendrite in, or does not let it do something.

    Attributes:
        url: The Synapse URL.
        reason: What was refused, with the name of the key.
        fix: What to do about it.
    """

    def __init__(self, url: str, reason: str, fix: str) -> None:
        super().__init__(url, f"{reason}; {fix}" if fix else reason)
        self.reason = reason
        self.fix = fix


class BadSignal(RemoteError, ValueError):
    """Bytes that are not a valid Signal; the text names the field."""


_NEURON_ERROR_NAMES = ("code", "message", "recoverable")


class NeuronError(RemoteError):
    """A Neuron ended its task with an ERROR; a Neuron may raise it to do so.

    `NeuronError("no such file")`, `NeuronError("no such file", code="NO_FILE")` and
    `NeuronError("NO_FILE", "no such file")` are the ways to make one.

    Args:
        code: One of `CODES`, or a code of the Neuron's own; `NEURON_ERROR` by default.
        message: A text for people.
        recoverable: Whether a retry may help; by default from `CODES`, else False.
        retry_after_s: The least number of seconds before a retry; None if it is not known.

    Raises:
        TypeError: The message is missing, or a value is given twice.
    """

    @overload
    def __init__(
        self,
        message: str,
        /,
        *,
        code: str = ...,
        recoverable: bool | None = ...,
        retry_after_s: float | None = ...,
    ) -> None: ...
    @overload
    def __init__(
        self,
        code: str,
        message: str,
        recoverable: bool | None = ...,
        *,
        retry_after_s: float | None = ...,
    ) -> None: ...
    def __init__(self, *given: Any, retry_after_s: float | None = None, **named: Any) -> None:
        names = ("message",) if len(given) == 1 and "message" not in named else _NEURON_ERROR_NAMES
        values = dict(zip(names, given, strict=False))
        wrong = (set(named) - set(_NEURON_ERROR_NAMES)) | (set(named) & set(values))
        if wrong or len(given) > len(_NEURON_ERROR_NAMES) or "message" not in {**values, **named}:
            raise TypeError(
                "NeuronError takes a message and perhaps code= and recoverable=, or a code and a "
                f"message, not {len(given)} positional arguments and {sorted(named)}"
            )
        self._fill(**values, **named)
        self.retry_after_s = seconds_or_none(retry_after_s)

    def _fill(
        self, message: str, code: str = "NEURON_ERROR", recoverable: bool | None = None
    ) -> None:
        self.args = (f"{code}: {message}",)
        self.code = code
        self.message = message
        self.recoverable = facts_of(code).recoverable if recoverable is None else recoverable

    def __reduce__(self) -> tuple[Any, ...]:
        """Return the parts for `pickle` and `copy`; the text alone would make another error."""
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


def seconds_or_none(value: object) -> float | None:
    """Return a number of seconds, cut to 30 days; None for a negative one and any other value."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(min(value, _MAX_WAIT_S)) if value >= 0 else None  # false for NaN too
