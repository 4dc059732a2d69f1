"""Values as JSON and back, without a loss; the forms are in clients/javascript/subject/values.js."""

import base64
import struct

from cosmonapse import Directed, Signal

MOST_EXACT = 2**53 - 1


def to_json(value):
    """Return the JSON form of a value; one that no Signal can carry has a form of its own."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if -MOST_EXACT <= value <= MOST_EXACT else {"i": str(value)}
    if isinstance(value, float):
        return {"f": struct.pack(">d", value).hex()}
    if isinstance(value, bytes | bytearray):
        return {"b": base64.b64encode(value).decode()}
    if isinstance(value, list | tuple):
        return [to_json(each) for each in value]
    if isinstance(value, dict):
        return {"m": [[to_json(key), to_json(each)] for key, each in value.items()]}
    if isinstance(value, Signal):
        return {"s": _fields_of(value)}
    return {"u": "set" if isinstance(value, set) else "object"}


def _fields_of(signal):
    to = signal.directed
    return [
        str(signal.type),
        to_json(signal.payload),
        to and [to.id, to.type, list(to.capabilities)],
        signal.trace_id,
        signal.parent_id,
        to_json(signal.meta),
        signal.id,
        to_json(signal.ts),
        signal.v,
    ]


def _signal(fields):
    type_, payload, to, trace_id, parent_id, meta, id_, ts, v = map(from_json, fields)
    return Signal(
        type=type_,
        payload=payload,
        directed=to and Directed(to[0], to[1], tuple(to[2])),
        trace_id=trace_id,
        parent_id=parent_id,
        meta=meta,
        id=id_,
        ts=ts,
        v=v,
    )


_FROM = {
    "i": int,
    "f": lambda digits: struct.unpack(">d", bytes.fromhex(digits))[0],
    "b": base64.b64decode,
    "m": lambda entries: {from_json(key): from_json(each) for key, each in entries},
    "s": _signal,
}


def from_json(form):
    """Return the value of a JSON form."""
    if isinstance(form, list):
        return [from_json(each) for each in form]
    if isinstance(form, dict):
        ((tag, inside),) = form.items()
        return _FROM[tag](inside)
    return form
