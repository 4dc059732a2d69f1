"""The payloads of offers and bids, and the choice of the best bid. Pure.

Spec: docs/spec/07-signals.md, "Offers and bids". Both come from the network: an invalid offer
raises BadSignal, an invalid value of a bid counts as missing (rule 2).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, cast, get_args

import attrs

from ...errors import BadSignal, InvalidName
from ...names import checked_capabilities, checked_name
from ...signals import Signal

Select = Literal["first_bid", "lowest_cost", "highest_confidence"]
DEFAULT_DEADLINE_MS = 250
MAX_DEADLINE_MS = 3_600_000
_KEYS = ("cost", "eta_ms", "confidence")


@attrs.frozen
class Offer:
    """The content of a TASK_OFFER.

    Args:
        input: The input of the TASK.
        capabilities: The capabilities that a bidder must offer, all of them.
        deadline_ms: How long bids are accepted, milliseconds from its arrival.
    """

    input: Any
    capabilities: frozenset[str]
    deadline_ms: float


@attrs.frozen
class Bid:
    """The content of a BID; None for a missing value.

    Args:
        signal: The BID.
        neuron: The neuron that bids.
        cost: In a unit that the bidders agree on.
        confidence: From 0 to 1.
    """

    signal: Signal
    neuron: str
    cost: float | None = None
    confidence: float | None = None


def offer_payload(input: Any, capabilities: Sequence[str], deadline_ms: float) -> dict[str, Any]:
    """Return the payload of a TASK_OFFER.

    Raises:
        ValueError: `deadline_ms` is not over 0 and at most an hour.
    """
    if not 0 < _number(deadline_ms, 0.0) <= MAX_DEADLINE_MS:
        raise ValueError(
            f"deadline_ms must be over 0 and at most {MAX_DEADLINE_MS:,}, not {deadline_ms!r:.100}"
        )
    return {"input": input, "capabilities": list(capabilities), "deadline_ms": deadline_ms}


def read_offer(signal: Signal) -> Offer:
    """Read a TASK_OFFER.

    Raises:
        BadSignal: It has no input, or its capabilities or its deadline are invalid.
    """
    payload = signal.payload
    if "input" not in payload:
        raise BadSignal("the TASK_OFFER has no input")
    try:
        capabilities = checked_capabilities(payload.get("capabilities", []))
    except (TypeError, ValueError) as error:
        raise BadSignal(f"the capabilities of the TASK_OFFER are invalid: {error}") from None
    deadline_ms = _number(payload.get("deadline_ms", DEFAULT_DEADLINE_MS), 0.0)
    if not 0 < deadline_ms <= MAX_DEADLINE_MS:
        raise BadSignal(
            f"deadline_ms of a TASK_OFFER must be over 0 and at most {MAX_DEADLINE_MS:,}"
        )
    return Offer(payload["input"], frozenset(capabilities), deadline_ms)


def read_bid(signal: Signal) -> Bid:
    """Read a BID; an invalid value counts as missing.

    Raises:
        BadSignal: It does not name the neuron that bids.
    """
    bidder = signal.directed
    if bidder is None or bidder.type != "neuron":
        raise BadSignal("a BID must name the neuron that bids")
    try:
        neuron = checked_name("neuron", bidder.id)
    except InvalidName as error:
        raise BadSignal(f"a BID must name the neuron that bids: {error}") from None
    cost = _number(signal.payload.get("cost"))
    confidence = _number(signal.payload.get("confidence"))
    if confidence is not None and not 0 <= confidence <= 1:
        confidence = None
    return Bid(signal, neuron, cost, confidence)


def bid_payload(value: Any) -> dict[str, Any] | None:
    """Return the payload of the BID for the return value of a `bid_fn`; None for no bid.

    Raises:
        TypeError: It is neither None nor a number nor a dict, or a key of the dict is missing or
            unknown, or a value is not a number.
        ValueError: A number is not finite, or out of range.
    """
    if value is None:
        return None
    given = value if isinstance(value, dict) else {"cost": value}
    unknown = [key for key in given if key not in _KEYS]
    if unknown or "cost" not in given:
        raise TypeError(
            f"a bid must be a cost, or a dict with cost and optionally eta_ms and confidence, "
            f"not {value!r:.100}"
        )
    payload = {key: _checked(key, given[key]) for key in given if given[key] is not None}
    if "cost" not in payload:
        raise TypeError("the cost of a bid must be a number, not None")
    if payload.get("eta_ms", 0) < 0:
        raise ValueError(f"eta_ms of a bid must be 0 or more, not {payload['eta_ms']!r:.100}")
    if not 0 <= payload.get("confidence", 0) <= 1:
        raise ValueError(
            f"confidence of a bid must be from 0 to 1, not {payload['confidence']!r:.100}"
        )
    return payload


def _checked(key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{key} of a bid must be a number, not {value!r:.100}")
    if _number(value) is None:
        raise ValueError(f"{key} of a bid must be a finite number of at most 64 bits")
    return value


_Rank = tuple[bool, float]
_RANKS: Mapping[Select, Callable[[Bid], _Rank]] = MappingProxyType(
    {
        "first_bid": lambda bid: (False, 0.0),
        "lowest_cost": lambda bid: (bid.cost is None, bid.cost or 0.0),
        "highest_confidence": lambda bid: (bid.confidence is None, -(bid.confidence or 0.0)),
    }
)


def checked_select(select: str) -> Select:
    """Return `select` if it is valid.

    Raises:
        ValueError: It is not a value of `Select`.
    """
    if select not in get_args(Select):
        ways = ", ".join(map(repr, get_args(Select)))
        raise ValueError(f"select must be one of {ways}, not {select!r:.100}")
    return cast("Select", select)


def choose(bids: Sequence[Bid], select: Select) -> Bid:
    """Return the best bid; of equals the first to arrive. A bid without the value is last.

    Args:
        bids: At least one, in the order of their arrival.
        select: The rule.
    """
    return min(bids, key=_RANKS[select])


def _number(value: Any, otherwise: Any = None) -> Any:
    """Return `value` if it is a number that can be compared and encoded, else `otherwise`."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return otherwise
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**64 else otherwise
    return value if math.isfinite(value) else otherwise
