"""Failures of a provider, as a `NeuronError` whose text cannot show the key. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import attrs

from ..errors import NeuronError
from .characters import valid
from .endings import CONTENT_FILTER, ERROR, REFUSAL
from .settings import ApiKey

MESSAGE_CHARS = 1000
EXCERPT_CHARS = 300
_RECOVERABLE = frozenset({408, 409, 429})
# In the middle of a stream an error has a name and no status.
_STATUS_OF_TYPE: Mapping[str, int] = MappingProxyType(
    {
        "overloaded": 429,
        "rate_limit": 429,
        "rate_limit_error": 429,
        "rate_limit_exceeded": 429,
        "api_error": 500,
        "incomplete_generation": 500,
        "internal_server_error": 500,
        "server_error": 500,
        "service_unavailable": 503,
        "timeout_error": 504,
        "overloaded_error": 529,
    }
)
_STATUS_KEYS = ("code", "status", "http_status_code", "status_code", "type", "error_type")
_STATUS = re.compile("[45][0-9]{2}")


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
    return None if found is None else valid(found if isinstance(found, str) else json.dumps(found))


def parsed(text: str | bytes) -> Any:
    """Return the JSON value of `text`, or None if it is invalid; no provider sends a bare null."""
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig", "surrogateescape")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _reporting(document: Any) -> Mapping[str, Any] | None:
    """Return the part of an answer that reports an error: all of it, its first choice, or None."""
    if not isinstance(document, dict):
        return None
    if _is_error(document):
        return document
    choices = document.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) and _is_error(first) else None


def _is_error(part: dict[str, Any]) -> bool:
    return bool(part.get("error") or part.get("object") == "error" or part.get("type") == "error")


def _status_in(*parts: Any) -> int | None:
    """Return the HTTP status of an error, given as a number or by its type."""
    for part in parts:
        for key in _STATUS_KEYS if isinstance(part, Mapping) else ():
            told = part.get(key)
            if isinstance(told, str):
                told = int(told) if _STATUS.fullmatch(told) else _STATUS_OF_TYPE.get(told)
            if isinstance(told, int) and 400 <= told <= 599:
                return told
    return None


_ENDED: Mapping[str, str] = MappingProxyType(
    {
        REFUSAL: "refused to answer",
        CONTENT_FILTER: "stopped the answer by a content filter",
        ERROR: "failed in the middle of the answer",
    }
)


@attrs.frozen
class Faults:
    """Makes the errors of one provider.

    Args:
        source: What the provider is called in messages.
        key: What no message may show.
    """

    source: str
    key: ApiKey

    def refused(
        self,
        status: int,
        body: bytes,
        retry_after_s: float | None = None,
        proxy: object = None,
    ) -> NeuronError:
        """Return the error for an HTTP answer other than 2xx.

        Args:
            status: The status.
            body: The body, or its beginning.
            retry_after_s: How long the provider asks to wait.
            proxy: The proxy between, if the answer may be its own.
        """
        message = message_in(parsed(body)) or self._excerpt(body.decode(errors="replace"))
        through = "" if proxy is None else f" through {proxy}"
        what = f"answered {status}{through}: {message}"
        return self._provider_error(what, is_recoverable(status), retry_after_s)

    def redirected(self, status: int, target: str) -> NeuronError:
        """Return the error for a redirect; the key is not sent on to another place."""
        what = f"answered {status}, a redirect to {target}; set endpoint to where that is served"
        return self._provider_error(what, recoverable=False)

    def reported(self, document: Any, *, is_error: bool = False) -> NeuronError | None:
        """Return the error that an answer with status 200 holds, or None.

        Args:
            document: The answer, or one event.
            is_error: Whether its event is called an error.
        """
        part = _reporting(document)
        if part is None and is_error and isinstance(document, Mapping):
            part = document
        if part is None:
            return None
        status = _status_in(part.get("error"), part)
        kind = "error" if status is None else f"error {status}"
        message = message_in(part) or json.dumps(part)
        return self._provider_error(
            f"answered 200 with an {kind}: {message}",
            status is not None and is_recoverable(status),
        )

    def said(self, text: str) -> NeuronError:
        """Return the error for a failure that is told as bare text under status 200."""
        document = parsed(text)
        return self.reported(document, is_error=True) or self._provider_error(
            f"answered 200 with an error: {self._excerpt(valid(text))}", recoverable=True
        )

    def failed_end(
        self, reason: str | None, told: str | None, refusal: str, text: str
    ) -> NeuronError:
        """Return the error for an answer that ended by a failure.

        Args:
            reason: Our word for the end.
            told: The provider's word for it.
            refusal: The words with which the model refused.
            text: The text before the end.
        """
        what = _ENDED.get(REFUSAL if refusal else reason or "", "failed")
        said = refusal.strip() or text.strip()
        after = f": {self._excerpt(valid(said))}" if said else ""
        return self._provider_error(f"{what} (finish_reason {told}){after}", reason == ERROR)

    def only_tools(self, tools: tuple[str, ...], runs_tools: bool = False) -> NeuronError:
        """Return the error for an answer that calls tools and says nothing.

        Args:
            tools: Their names; none if the answer only says that it calls some.
            runs_tools: Whether the Neuron would have run them, if it knew which.
        """
        if runs_tools:
            what = "answered with neither a text nor the name of a tool to call"
            return self._provider_error(what, recoverable=True)
        names = f" ({', '.join(map(valid, tools))})" if tools else ""
        what = f"answered with nothing but tool calls{names}, which a Neuron does not run"
        return self._provider_error(what, recoverable=False)

    def malformed(self, expected: str, got: str) -> NeuronError:
        """Return the error for an answer that breaks the promises of the API."""
        return self._provider_error(
            f"answered 200 without {expected}: {self._excerpt(valid(got))}", recoverable=False
        )

    def too_large(self, limit: int) -> NeuronError:
        """Return the error for an answer of more than `limit` bytes."""
        what = f"answered more than {limit:,} bytes; raise max_answer_bytes of the Neuron"
        return self._provider_error(what, recoverable=False)

    def unreachable(self, url: str, reason: Exception, proxy: object = None) -> NeuronError:
        """Return the error for a connection that failed or fell silent before an answer."""
        seen = f"{type(reason).__name__}: {reason}".rstrip(": ")
        through = "" if proxy is None else f" through {proxy}"
        return NeuronError(
            "PROVIDER_UNREACHABLE",
            self.key.mask(f"{self.source} at {url} is unreachable{through}: {seen}"),
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

    def _provider_error(
        self, what: str, recoverable: bool, retry_after_s: float | None = None
    ) -> NeuronError:
        message = self.key.mask(f"{self.source} {what}")[:MESSAGE_CHARS]
        return NeuronError("PROVIDER_ERROR", message, recoverable, retry_after_s=retry_after_s)

    def _excerpt(self, text: str) -> str:
        """Cut after masking: half a key would no longer be found."""
        return self.key.mask(text.strip())[:EXCERPT_CHARS] or "(nothing)"
