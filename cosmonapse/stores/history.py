"""The rules that update the record of an Axon; one set of rules for all stores. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from ..registry import NeuronRecord

DEREGISTERED = "deregistered"
MAX_RECORDS = 10_000


def key_of(record: NeuronRecord) -> tuple[str, str]:
    """Return the key of a record."""
    return record.neuron_id, record.instance


def merged(old: NeuronRecord | None, new: NeuronRecord, now_ts: float) -> NeuronRecord:
    """Return `new` with the times at which its Axon was first and last seen."""
    last = [each.last_seen_ts for each in (old, new) if each and each.last_seen_ts is not None]
    last_ts = max(last, default=now_ts)
    first = [each.first_seen_ts for each in (old, new) if each and each.first_seen_ts is not None]
    return attrs.evolve(
        new,
        capabilities=tuple(new.capabilities),
        first_seen_ts=min(first, default=last_ts),
        last_seen_ts=last_ts,
    )


def touched(
    old: NeuronRecord, running: int, queued: int, loop_lag_ms: int, at_ts: float
) -> NeuronRecord:
    """Return a record after a sign of life."""
    return attrs.evolve(
        old,
        state="alive",
        running=running,
        queued=queued,
        loop_lag_ms=loop_lag_ms,
        last_seen_ts=_later(old.last_seen_ts, at_ts),
    )


def departed(old: NeuronRecord, reason: str | None, at_ts: float) -> NeuronRecord:
    """Return the record of an Axon that has deregistered."""
    last_ts = _later(old.last_seen_ts, at_ts)
    return attrs.evolve(old, state=DEREGISTERED, reason=reason, last_seen_ts=last_ts)


def is_there(record: NeuronRecord) -> bool:
    """Return whether the Axon has not deregistered."""
    return record.state != DEREGISTERED


def wanted(
    records: Iterable[NeuronRecord], capability: str | None, include_deregistered: bool
) -> list[NeuronRecord]:
    """Return the records that match, by neuron id and instance."""
    found = (
        each
        for each in records
        if (include_deregistered or is_there(each))
        and (capability is None or capability in each.capabilities)
    )
    return sorted(found, key=key_of)


def best(records: Iterable[NeuronRecord]) -> NeuronRecord | None:
    """Return the record that speaks for its neuron id, or None without any."""
    return max(records, key=_worth, default=None)


def surplus(
    records: Iterable[NeuronRecord], newest: NeuronRecord, max_records: int
) -> list[NeuronRecord]:
    """Return which records are to be forgotten; `newest` is never among them."""
    others = sorted((each for each in records if key_of(each) != key_of(newest)), key=_worth)
    return others[: max(0, len(others) + 1 - max_records)]


def _worth(record: NeuronRecord) -> tuple[bool, float, tuple[str, str]]:
    return is_there(record), record.last_seen_ts or 0.0, key_of(record)


def _later(seen_ts: float | None, at_ts: float) -> float:
    return at_ts if seen_ts is None else max(seen_ts, at_ts)
