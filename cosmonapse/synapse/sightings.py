"""The Signals that pass a Synapse, as they are told to whoever looks on."""

from __future__ import annotations

import logging
from collections.abc import Callable

import attrs

import zmq_transport as wire_side

from ..ids import id_text
from ..kernel import run_signals, run_texts
from ..signals import TYPE_OF_CODE, SignalType

_LOG = logging.getLogger(__name__)


@attrs.frozen
class Sighting:
    """One Signal that passed the Synapse.

    Args:
        namespace: Its namespace.
        what: Its type, or the verb of a message of the Synapse, such as `BOUNCE`.
        trace: First eight characters of the trace id, or empty.
        where: Its neuron or capabilities, or the reason of a bounce.
        size_bytes: Length of the encoded Signal.
        trace_id: The whole trace id, or empty.
    """

    namespace: str
    what: str
    trace: str
    where: str
    size_bytes: int
    trace_id: str = ""


class MessageTap:
    """Turns the messages that a proxy forwards into sightings.

    Args:
        on_signal: Is called with each; what it raises is logged once.
    """

    def __init__(self, on_signal: Callable[[Sighting], None]) -> None:
        self._on_signal = on_signal
        self._failed = False

    def __call__(
        self, namespace: str, verb: int, kind: int, trace: bytes, where: str, body: bytes
    ) -> None:
        """See `zmq_transport.proxy.tables.MessageTap`."""
        signal_type = TYPE_OF_CODE.get(kind)
        if signal_type is not None:
            what = signal_type.value
        else:
            what = wire_side.Verb(verb).name if kind == 0 else f"type {kind}"
        whole = id_text("trc_", trace) if any(trace) else ""
        try:
            for size in _sizes(signal_type, body):
                self._on_signal(Sighting(namespace, what, whole[:8], where, size, whole))
        except Exception:  # noqa: BLE001  # the last door: a log must not end the Synapse
            if not self._failed:
                self._failed = True
                _LOG.exception(
                    "on_signal raised; it is still called, but further errors are not logged"
                )


def _sizes(signal_type: SignalType | None, body: bytes) -> list[int]:
    """Return the size of the Signal in a body; of a run, the sizes of those that it stands for."""
    if signal_type is SignalType.THOUGHT_DELTA and run_texts(body) is not None:
        return [len(signal.encode()) for signal in run_signals(body)]
    return [len(body)]
