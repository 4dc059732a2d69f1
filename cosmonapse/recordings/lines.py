"""The lines of a recording: one JSON object each. Pure. The format: docs/recordings.md."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import attrs

from .. import codec
from ..doppler.masking import hidden
from ..doppler.observed import ObservedSignal, hex_of
from ..errors import BadSignal, UnencodableValue
from ..signals import Signal, SignalType
from .plain_values import from_plain, to_plain
from .tables import TABLES, Record, from_rows, to_rows

FORMAT = "cosmonapse recording"
VERSION = 1
LONGEST_LINE = 32 * 1024 * 1024
_LATEST_TS = 1e11
_MOST = 2**53
_LONGEST_TEXT = 2_000
_NOBODY = bytes(16)
_encode = json.JSONEncoder(check_circular=False, allow_nan=False, separators=(",", ":")).encode


class NoRecording(ValueError):
    """A file that cannot be replayed; the text says why."""


@attrs.frozen
class Header:
    """The first line of a recording.

    Args:
        namespace: The namespace.
        url: URL of its Synapse.
        release: The release of this package that wrote it.
        began_ts: When it began, wall clock.
        masked: Whether secrets are masked.
        chosen: The options that chose Signals, as a text; empty for all Signals.
    """

    namespace: str
    url: str
    release: str
    began_ts: float
    masked: bool = True
    chosen: str = ""


@attrs.frozen
class Heard:
    """A Signal."""

    at_ts: float
    observed: ObservedSignal


@attrs.frozen
class ToldTable:
    """What the Synapse tells: `name` is a key of `TABLES`."""

    at_ts: float
    name: str
    records: list[Any]


@attrs.frozen
class LinkChange:
    """The connection to the Synapse came, or went with a reason."""

    at_ts: float
    connected: bool
    reason: str | None


@attrs.frozen
class Missed:
    """Signals that are not in the recording: `by` is `way`, or `file` for a slow disk."""

    at_ts: float
    count: int
    by: str = "way"


@attrs.frozen
class End:
    """The recording was ended in order, with the number of its Signals."""

    at_ts: float
    signals: int


Line = Heard | ToldTable | LinkChange | Missed | End


def _line(kind: str, at_ts: float, values: Mapping[str, Any]) -> str:
    """Return a line; `line` and `at` come first, so that a reader finds the time at once."""
    text = _encode({"line": kind, "at": round(at_ts, 6), **values})
    return text.replace("\x7f", "\\u007f") + "\n"


def header_line(header: Header) -> str:
    """Return the first line."""
    values = attrs.asdict(header)
    began_ts = values.pop("began_ts")
    return _line("recording", began_ts, {"format": FORMAT, "version": VERSION, **values})


def signal_line(at_ts: float, observed: ObservedSignal, *, masks: bool) -> str:
    """Return the line of a Signal, with the keys of `cosmo doppler --json`."""
    signal, directed = observed.signal, observed.signal.directed
    payload, meta = signal.payload, signal.meta
    values = {
        "type": signal.type.value,
        "payload": to_plain(hidden(payload) if masks else payload),
        "directed": None if directed is None else attrs.asdict(directed),
        "trace_id": signal.trace_id,
        "parent_id": signal.parent_id,
        "meta": to_plain(hidden(meta) if masks else meta),
        "id": signal.id,
        "ts": to_plain(signal.ts),
        "v": signal.v,
        "origin": signal.origin,
        "neuron": observed.neuron,
        "caller": hex_of(observed.caller),
        "worker": hex_of(observed.worker),
    }
    return _line("signal", at_ts, values)


def table_line(at_ts: float, name: str, records: Iterable[Record]) -> str:
    """Return the line of a table."""
    return _line(name, at_ts, {"records": to_rows(records)})


def link_line(at_ts: float, connected: bool, reason: str | None) -> str:
    """Return the line of a change of the connection."""
    return _line("link", at_ts, {"connected": connected, "reason": reason})


def missed_line(at_ts: float, count: int, by: str) -> str:
    """Return the line of a loss."""
    return _line("missed", at_ts, {"count": count, "by": by})


def end_line(at_ts: float, signals: int) -> str:
    """Return the last line."""
    return _line("end", at_ts, {"signals": signals})


def read_header(text: bytes) -> Header:
    """Return the header of a recording.

    Raises:
        NoRecording: It is none, or of a later release.
    """
    values = _object(text)
    if values is None or values.get("line") != "recording" or values.get("format") != FORMAT:
        raise NoRecording("it is no recording of 'cosmo record'")
    if values.get("version") != VERSION:
        raise NoRecording(
            f"its format has version {values.get('version')!r:.20}, and this release reads "
            f"version {VERSION}: use the release that wrote it, {values.get('release')!r:.40}"
        )
    try:
        return Header(
            *(_text(values, "namespace"), _text(values, "url"), _text(values, "release")),
            began_ts=_at(values),
            masked=values.get("masked") is True,
            chosen=_text(values, "chosen"),
        )
    except (KeyError, ValueError) as error:
        raise NoRecording(f"its first line is invalid: {error}") from None


def read_line(text: bytes) -> Line | None:
    """Return a line after the first; None if it is invalid, or of a kind that is not known."""
    values = _object(text)
    if values is None:
        return None
    kind = values.get("line")
    try:
        if kind in TABLES:
            return ToldTable(_at(values), str(kind), from_rows(str(kind), values.get("records")))
        read = _READ.get(kind) if isinstance(kind, str) else None
        return None if read is None else read(_at(values), values)
    except (KeyError, ValueError, TypeError, RecursionError, OverflowError):
        return None
    except (BadSignal, UnencodableValue):
        return None


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def _at(values: Mapping[str, Any]) -> float:
    return _number(values["at"])


def _number(value: Any) -> float:
    if (
        value.__class__ not in (int, float)
        or not math.isfinite(value)
        or not 0 <= value < _LATEST_TS
    ):
        raise ValueError("at must be seconds since 1970")
    return float(value)


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise ValueError(f"{name} must be a short text")
    return value


def _count(values: Mapping[str, Any], name: str) -> int:
    value = values[name]
    if value.__class__ is not int or not 0 <= value < _MOST:
        raise ValueError(f"{name} must be a count")
    return int(value)


def _instance(value: Any) -> bytes:
    return _NOBODY if value is None else _sized(bytes.fromhex(value))


def _sized(instance: bytes) -> bytes:
    if len(instance) != len(_NOBODY):
        raise ValueError("an instance id has 16 bytes")
    return instance


def _heard(at_ts: float, values: Mapping[str, Any]) -> Heard:
    """Return a Signal, checked as one that comes from the network."""
    directed = values["directed"]
    fields = [
        values["v"],
        values["id"],
        values["trace_id"],
        values["parent_id"],
        SignalType[values["type"]].code,
        None if directed is None else [directed[each] for each in ("id", "type", "capabilities")],
        float(from_plain(values["ts"])),
        _dict(from_plain(values["payload"])),
        _dict(from_plain(values["meta"])),
    ]
    body = codec.pack(fields)
    signal = Signal.decode(body)
    origin = values.get("origin")
    if isinstance(origin, str) and len(origin) <= _LONGEST_TEXT:
        object.__setattr__(signal, "origin", origin)
    ends = _instance(values["caller"]), _instance(values["worker"])
    return Heard(at_ts, ObservedSignal(signal, body, *ends))


def _dict(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("payload and meta must be objects")
    return value


def _link(at_ts: float, values: Mapping[str, Any]) -> LinkChange:
    reason = None if values["reason"] is None else _text(values, "reason")
    return LinkChange(at_ts, values["connected"] is True, reason)


def _missed(at_ts: float, values: Mapping[str, Any]) -> Missed:
    return Missed(at_ts, _count(values, "count"), "file" if values.get("by") == "file" else "way")


def _end(at_ts: float, values: Mapping[str, Any]) -> End:
    return End(at_ts, _count(values, "signals"))


_READ: Mapping[str, Callable[[float, Mapping[str, Any]], Line]] = MappingProxyType(
    {"signal": _heard, "link": _link, "missed": _missed, "end": _end}
)
