"""Does the far end refuse this client for its key? From failed handshakes to an answer. Pure.

Spec: docs/spec/11-access.md, Refusals at the handshake. CURVE tells a client only that its own key
is not listed. All else is a failed handshake without a reason, so the greeting is read beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import attrs

from ..errors import AccessFault, AccessRefused, Refused

SURE_COUNT: Final = 5
SURE_S: Final = 0.5
"""So many failed handshakes in no less time are no accident: the public key is another one."""
REFUSED_S: Mapping[AccessFault, tuple[float, float]] = MappingProxyType(
    {
        AccessFault.NEEDS_KEY: (0.6, 0.6),
        AccessFault.NO_KEYS: (0.6, 0.6),
        AccessFault.UNLISTED: (1.0, 20.0),
        AccessFault.OTHER_PROXY: (1.0, 8.0),
    }
)
"""The first pause and the longest one after a refusal, in seconds. As each is taken half as long or
longer by half, by chance, the longest of all is 30 s."""
_MAX_DOUBLINGS: Final = 10
_REASONS: Mapping[AccessFault, str] = MappingProxyType(
    {
        AccessFault.NEEDS_KEY: "it has keys, and this client has none",
        AccessFault.NO_KEYS: "it has no keys, and this client has one",
        AccessFault.UNLISTED: "it does not list the key of {user}",
        AccessFault.OTHER_PROXY: "it has another public key than the key of {user} expects",
    }
)


@attrs.frozen
class Answer:
    """What listens at an endpoint.

    Args:
        text: Its name for people; empty if nothing listens there, or what is expected does.
        fault: What the two ends do not agree on about keys; None if it is not that.
        speaks_curve: True if it has keys.
    """

    text: str = ""
    fault: AccessFault | None = None
    speaks_curve: bool = False


def refused_s(fault: AccessFault, count: int) -> float:
    """Return the pause after so many refusals in a row, in seconds, without its jitter."""
    first_s, most_s = REFUSED_S[fault]
    return min(first_s * 2.0 ** min(count - 1, _MAX_DOUBLINGS), most_s)


def refused(endpoint: str, fault: AccessFault, user: str = "") -> AccessRefused:
    """Return the error for a fault.

    Args:
        endpoint: The proxy.
        fault: Any but RIGHTS, which the proxy describes itself.
        user: The name of the key; empty without one.
    """
    return AccessRefused(endpoint, _REASONS[fault].format(user=user or "this client"), fault=fault)


class RefusalNews:
    """Whether a refusal is news to a client that asks again and again, and says it once."""

    def __init__(self) -> None:
        self._told: Refused | None = None

    def is_new(self, error: Refused) -> bool:
        """Record a refusal; return whether it was not told since the last welcome."""
        told, self._told = self._told, error
        if told is None:
            return True
        # A proxy that revokes a key says so, and then does not list it in any handshake.
        follows = _fault_of(told) is AccessFault.RIGHTS and _fault_of(error) is AccessFault.UNLISTED
        if follows:
            self._told = told
        return not follows and told.reason != error.reason

    def clear(self) -> None:
        """Forget it: the client is welcome."""
        self._told = None


def _fault_of(error: Refused) -> AccessFault | None:
    return error.fault if isinstance(error, AccessRefused) else None


@attrs.define
class Refusals:
    """What the attempts of one socket tell about the key.

    Args:
        is_keyed: True if this client shows a key.

    Attributes:
        fault: Why the far end refuses this client; None while that is not known.
    """

    is_keyed: bool
    fault: AccessFault | None = None
    _speaks_curve: bool = False
    _failures_count: int = 0
    _first_s: float = 0.0

    def on_unlisted(self) -> None:
        """Record that the far end said it: it does not list the key."""
        self.fault = AccessFault.UNLISTED

    def on_failed(self, now_s: float) -> None:
        """Record a handshake that the far end broke off at once."""
        if not self._failures_count:
            self._first_s = now_s
        self._failures_count += 1
        is_sure = self._failures_count >= SURE_COUNT and now_s - self._first_s >= SURE_S
        if self.is_keyed and self._speaks_curve and is_sure:
            self.fault = AccessFault.OTHER_PROXY

    def on_answer(self, answer: Answer) -> None:
        """Record what the greeting of the far end says."""
        self._speaks_curve = answer.speaks_curve
        if answer.fault is not None:
            self.fault = answer.fault

    def on_nobody(self) -> None:
        """Forget everything, as nobody is there: what comes next may be another far end."""
        self.fault = None
        self._failures_count = 0
        self._speaks_curve = False
