"""Signals as a watcher receives them."""

from cosmonapse import Directed, Signal, SignalType
from cosmonapse.doppler.observed import ObservedSignal

CALLER, WORKER, NOBODY = b"c" * 16, b"w" * 16, bytes(16)


def observed(
    type=SignalType.PLAN, payload=None, neuron=None, caller=NOBODY, worker=NOBODY, **fields
):
    """Return a Signal of some type, as observed."""
    directed = fields.pop("directed", None if neuron is None else Directed(neuron, "neuron"))
    signal = Signal(type=type, payload=payload or {}, directed=directed, **fields)
    return ObservedSignal(signal, signal.encode(), caller, worker)


def task(neuron="worker", worker=WORKER, **fields):
    """Return a TASK that a worker got."""
    payload = fields.pop("payload", {"input": {}})
    return observed(SignalType.TASK, payload, neuron, CALLER, worker, **fields)


def reply(asked, type=SignalType.AGENT_OUTPUT, payload=None, neuron="worker", **fields):
    """Return the replies of a worker to a TASK."""
    payload = {"output": {}} if payload is None else payload
    fields = {"trace_id": asked.signal.trace_id, "parent_id": asked.signal.id, **fields}
    return observed(type, payload, neuron, CALLER, asked.worker, **fields)
