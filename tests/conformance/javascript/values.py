"""Values as JSON and back, without a loss; clients/javascript/subject/values.js has the forms."""

import base64
import struct

from cosmonapse import Directed, Signal, SignalType

MOST_EXACT = 2**53 - 1


def to_json(value):
    """Return the JSON form of a value; one that no Signal can carry has a form of its own."""
    form = _TO.get(type(value))
    return {"u": "object"} if form is None else form(value)


def _integer(value):
    return value if -MOST_EXACT <= value <= MOST_EXACT else {"i": str(value)}


def _list(values):
    return [to_json(each) for each in values]


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


_TO = {
    type(None): lambda value: value,
    bool: lambda value: value,
    str: lambda value: value,
    SignalType: str,
    int: _integer,
    float: lambda value: {"f": struct.pack(">d", value).hex()},
    bytes: lambda value: {"b": base64.b64encode(value).decode()},
    bytearray: lambda value: {"b": base64.b64encode(value).decode()},
    list: _list,
    tuple: _list,
    dict: lambda value: {"m": [[to_json(key), to_json(each)] for key, each in value.items()]},
    Signal: lambda value: {"s": _fields_of(value)},
    set: lambda value: {"u": "set"},
}
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
