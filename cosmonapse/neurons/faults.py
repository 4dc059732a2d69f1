"""Failures of a provider, as a `NeuronError` whose text cannot show the key. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import attrs

from ..errors import NeuronError
from .settings import ApiKey

MESSAGE_CHARS = 1000
EXCERPT_CHARS = 300
_RECOVERABLE = frozenset({408, 409, 429})
# In the middle of a stream an error has a name and no status.
_STATUS_OF_TYPE: Mapping[str, int] = MappingProxyType(
    {
        "rate_limit_error": 429,
        "rate_limit_exceeded": 429,
        "api_error": 500,
        "internal_server_error": 500,
        "server_error": 500,
        "service_unavailable": 503,
        "timeout_error": 504,
        "overloaded_error": 529,
    }
)


def is_recoverable(status: int) -> bool:
    """Return whether a retry may help after HTTP `status`."""
    return status in _RECOVERABLE or status >= 500


def message_in(document: Any) -> str | None:
    """Return the provider's own message out of a JSON error, in any of the usual forms."""
    if not isinstance(document, Mapping):
        return None
    error = document.get("error")
    if isinstance(error, Mapping):
        error = error.get("message") or error
    found = error or document.get("message") or document.get("detail")
    return found if found is None or isinstance(found, str) else json.dumps(found)


def parsed(text: str | bytes) -> Any:
    """Return the JSON value of `text`, or None if it is invalid; no provider sends a bare null."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _reporting(document: Any) -> Mapping[str, Any] | None:
    """Return the part of an answer that reports an error: all of it, its first choice, or None."""
    choices = document.get("choices") if isinstance(document, Mapping) else None
    parts = [document, *(choices[:1] if isinstance(choices, list) else [])]
    for part in parts:
        if isinstance(part, Mapping) and (part.get("error") or part.get("object") == "error"):
            return part
    return None


def _status_in(error: Any) -> int | None:
    """Return the HTTP status of an error, given as a number or by its type."""
    if not isinstance(error, Mapping):
        return None
    for key in ("code", "http_status_code", "status_code", "type"):
        told = error.get(key)
        status = _STATUS_OF_TYPE.get(told) if isinstance(told, str) else told
        if isinstance(status, int) and 400 <= status <= 599:
            return status
    return None


@attrs.frozen
class Faults:
    """Makes the errors of one provider.

    Args:
        source: What the provider is called in messages.
        key: What no message may show.
    """

    source: str
    key: ApiKey

    def refused(self, status: int, body: bytes) -> NeuronError:
        """Return the error for an HTTP answer other than 2xx."""
        message = message_in(parsed(body)) or self._excerpt(body.decode(errors="replace"))
        return self._provider_error(f"answered {status}: {message}", is_recoverable(status))

    def reported(self, document: Any) -> NeuronError | None:
        """Return the error that an answer with status 200 holds, or None."""
        part = _reporting(document)
        if part is None:
            return None
        status = _status_in(part.get("error") or part)
        kind = "error" if status is None else f"error {status}"
        return self._provider_error(
            f"answered 200 with an {kind}: {message_in(part)}",
            status is not None and is_recoverable(status),
        )

    def malformed(self, expected: str, got: str) -> NeuronError:
        """Return the error for an answer that breaks the promises of the API."""
        return self._provider_error(
            f"answered 200 without {expected}: {self._excerpt(got)}", recoverable=False
        )

    def too_large(self, limit: int) -> NeuronError:
        """Return the error for an answer of more than `limit` bytes."""
        return self._provider_error(f"answered more than {limit:,} bytes", recoverable=False)

    def unreachable(self, url: str, reason: Exception) -> NeuronError:
        """Return the error for a connection that failed or fell silent before an answer."""
        seen = f"{type(reason).__name__}: {reason}".rstrip(": ")
        return NeuronError(
            "PROVIDER_UNREACHABLE",
            self.key.mask(f"{self.source} at {url} is unreachable: {seen}"),
            recoverable=True,
        )

    def cut_off(self, token_count: int, reason: str) -> NeuronError:
        """Return the error for a stream that ended before its end."""
        return NeuronError(
            "PROVIDER_UNREACHABLE",
            self.key.mask(
                f"the answer of {self.source} was cut off after {token_count} tokens: {reason}"
            ),
            recoverable=True,
        )

    def _provider_error(self, what: str, recoverable: bool) -> NeuronError:
        message = self.key.mask(f"{self.source} {what}")[:MESSAGE_CHARS]
        return NeuronError("PROVIDER_ERROR", message, recoverable)

    def _excerpt(self, text: str) -> str:
        """Cut after masking: half a key would no longer be found."""
        return self.key.mask(text.strip())[:EXCERPT_CHARS] or "(nothing)"
