"""A peer that only listens: hears the Signals of one namespace, and sends none.

It hosts no Axon and dispatches nothing; all that leaves it is its greeting, what it listens to, and
its questions to the tables of the Synapse. The transport finds the Synapse again by itself.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable

from ..dendrite.watch.trace_order import Once
from ..errors import BadSignal, SynapseUnreachable
from ..ids import id_bytes
from ..names import checked_name
from ..registry import NeuronRecord, SynapseState
from ..signals import Signal, SignalType
from ..synapse import synapse_from_url
from ..transport import Topic, Transport
from .observed import ObservedSignal

_LOG = logging.getLogger(__name__)
_CLOSE_S = 1.0
_ONCE = 20_000
"""Ids that are remembered: after a restart of the Synapse workers send again what may be lost."""
_MAX_BYTES = 2**31 - 2**17


class Listener:
    """What the transport reports to somebody who only listens; see `transport.Receiver`.

    Args:
        on_signal: Receives each Signal, once.
        on_missed: Takes the number of Signals that were lost before the next one.
        on_link: Learns whether the Synapse is in reach, and why it is not.
    """

    def __init__(
        self,
        on_signal: Callable[[ObservedSignal], None],
        on_missed: Callable[[int], None],
        on_link: Callable[[bool, str | None], None],
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.on_missed = on_missed
        self._on_signal = on_signal
        self._on_link = on_link
        self._once = Once(_ONCE)

    def on_heard(self, kind: int, trace: bytes, caller: bytes, worker: bytes, body: bytes) -> None:
        """Hand on a Signal that was not heard before; what is none is counted."""
        try:
            signal = Signal.decode(body)
        except BadSignal as error:
            self.counts["bad_signal"] += 1
            if self.counts["bad_signal"] == 1:  # whoever sends one may send thousands
                _LOG.warning("a message is no Signal and is not shown; more are counted: %s", error)
            return
        if self._once.first(signal.id):
            self._on_signal(ObservedSignal(signal, body, caller, worker))
        else:
            self.counts["again"] += 1

    def on_welcomed(self, fresh: bool) -> None:
        """Learn that the Synapse took us in."""
        self._on_link(True, None)

    def on_away(self, why: str) -> None:
        """Learn that the Synapse is out of reach."""
        self._on_link(False, why)

    def _nothing(self, *unused: object) -> None:
        """Take what concerns those who have tasks or Axons; we have none."""

    on_task = on_reply = on_cancel = on_bounce = on_lost = on_registered = _nothing


class Observer:
    """Joins a namespace and listens.

    Args:
        url: Where the Synapse is.
        namespace: Which namespace.
        listener: Who is told.
        types: Only of these types; every type if empty.
        trace_id: Only of this trace, of every type; then `types` is for the listener to look at.
        name: How it is called at the Synapse.

    Raises:
        InvalidUrl: `url` names no endpoint.
        InvalidName: `namespace` is no name.
        BadSignal: `trace_id` is no id.
    """

    def __init__(
        self,
        url: str,
        namespace: str,
        listener: Listener,
        *,
        types: Iterable[SignalType] = (),
        trace_id: str | None = None,
        name: str = "doppler",
    ) -> None:
        self.synapse = synapse_from_url(url)
        self.namespace = checked_name("namespace", namespace)
        self._listener = listener
        self._name = name
        self._topics: list[Topic] = [(each.code, None) for each in tuple(types) or SignalType]
        if trace_id is not None:
            self._topics = [(None, id_bytes(trace_id))]
        self._transport: Transport | None = None

    async def open(self, timeout_s: float) -> None:
        """Join; return when every Signal from now on is heard. May be tried again when it fails.

        Raises:
            SynapseUnreachable: Not within `timeout_s` seconds.
            SynapseRefused: The Synapse does not take this namespace, or is full.
        """
        # Its own limit binds what a transport sends, and this one sends no Signals.
        transport = self.synapse.transport(self.namespace, self._name, self._listener, _MAX_BYTES)
        try:
            await transport.open(timeout_s, self._topics)
        except BaseException:
            await transport.close(0.0)
            raise
        self._transport = transport

    async def close(self) -> None:
        """Say goodbye and close."""
        if self._transport is not None:
            await self._transport.close(_CLOSE_S)
            self._transport = None
        await self.synapse.close()

    async def roster(self, timeout_s: float) -> list[NeuronRecord]:
        """Return the Axons of the namespace.

        Raises:
            SynapseUnreachable: Not within `timeout_s` seconds, or not open.
        """
        return await self._open_transport().roster("", "", timeout_s)

    async def state(self, timeout_s: float) -> SynapseState:
        """Return how the Synapse is.

        Raises:
            SynapseUnreachable: Not within `timeout_s` seconds, or not open.
        """
        return await self._open_transport().state(timeout_s)

    def _open_transport(self) -> Transport:
        if self._transport is None:
            raise SynapseUnreachable(self.synapse.url, "not connected yet", "start it")
        return self._transport
