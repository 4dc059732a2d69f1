"""A peer that only listens: it receives the Signals of one namespace, and sends none.

It hosts no Axon and dispatches nothing. It sends only its greeting, its subscriptions, and queries
for the tables of the Synapse. The transport reconnects by itself.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable

from ..dendrite.own_rights import OwnRights
from ..dendrite.senders import Senders
from ..dendrite.watch.trace_order import SeenIds
from ..errors import AccessRefused, BadSignal, SynapseUnreachable
from ..ids import id_bytes
from ..kernel import heard_signals
from ..names import checked_name
from ..registry import DendriteRecord, NeuronRecord, SynapseState, TaskRecord
from ..signals import Signal, SignalType
from ..synapse import synapse_from_url
from ..synapse.connect import KeyLike
from ..tasks import is_of_card
from ..transport import Topic, Transport
from .observed import ObservedSignal

_LOG = logging.getLogger(__name__)
_CLOSE_S = 1.0
_ONCE = 20_000
"""Ids that are remembered: after a restart of the Synapse workers send Signals again."""
_MAX_BYTES = 2**31 - 2**17


class Listener:
    """The receiver of a peer that only listens; see `transport.Receiver`.

    Args:
        on_signal: Receives each Signal, once.
        on_missed: Receives the number of Signals that were lost before the next one.
        on_link: Receives whether the Synapse is connected, and the reason if it is not.

    Attributes:
        missing_right: Tells which right the last WELCOME did not give, if one is missing.
    """

    def __init__(
        self,
        on_signal: Callable[[ObservedSignal], None],
        on_missed: Callable[[int], None],
        on_link: Callable[[bool, str | None], None],
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.on_missed = on_missed
        self.missing_right: Callable[[], AccessRefused | None] = lambda: None
        self._on_signal = on_signal
        self._on_link = on_link
        self._senders: Senders | None = None
        self._seen = SeenIds(_ONCE)

    def name_senders(self, transport: Transport) -> None:
        """Write `Signal.origin` with the names that a transport knows."""
        self._senders = Senders(transport)

    def on_heard(
        self, kind: int, trace: bytes, caller: bytes, worker: bytes, bodies: list[bytes]
    ) -> None:
        """Pass on the Signals that were not received before; count invalid ones."""
        for body in bodies:
            signals = self._read(body)
            for signal in signals:
                if self._seen.add(signal.id):
                    if self._senders is not None and self._senders.have_names:
                        self._senders.mark_copy(signal, caller, worker)
                    own = body if len(signals) == 1 else signal.encode()
                    self._on_signal(ObservedSignal(signal, own, caller, worker))
                else:
                    self.counts["again"] += 1

    def _read(self, body: bytes) -> list[Signal]:
        """Return the Signals of a body, several if it is a run; none if it is invalid."""
        try:
            signals = heard_signals(body)
        except BadSignal as error:
            self.counts["bad_signal"] += 1
            if self.counts["bad_signal"] == 1:  # its sender may send thousands
                _LOG.warning(
                    "an invalid Signal was dropped; further ones are only counted: %s", error
                )
            return []
        if is_of_card(signals[0]):
            self.counts["hidden_cards"] += 1
            return []
        return signals

    def on_published(self, publisher: bytes, kind: int, trace: bytes, body: bytes) -> None:
        """Ignore what is handed over: one that listens to it gets a copy."""

    def on_welcomed(self, fresh: bool) -> None:
        """Report that the Synapse accepted the connection, and whether anything will be heard."""
        if self._senders is not None:
            self._senders.on_welcomed()
        missing = self.missing_right()
        self._on_link(missing is None, None if missing is None else missing.reason)

    def on_away(self, why: str) -> None:
        """Report that the Synapse is not connected."""
        self._on_link(False, why)

    def _nothing(self, *unused: object) -> None:
        """Ignore an event about tasks or Axons; this peer has none."""

    on_tasks = on_replies = on_cancel = on_bounce = on_lost = on_registered = _nothing


class Observer:
    """Joins a namespace and receives its Signals.

    Args:
        url: URL of the Synapse.
        namespace: The namespace to join.
        listener: Receives the Signals and the events of the connection.
        types: Only Signals of these types; of every type if empty.
        trace_id: Only Signals of this trace, of every type; the listener then checks `types`.
        name: The name of this peer at the Synapse.
        key: Its key, with the right `watch`; see `synapse_from_url`.

    Raises:
        InvalidUrl: `url` names no endpoint.
        InvalidKey: The key cannot be used.
        InvalidName: `namespace` is not a valid name.
        BadSignal: `trace_id` is not an id.
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
        key: KeyLike | None = None,
    ) -> None:
        self.synapse = synapse_from_url(url, key=key)
        self.namespace = checked_name("namespace", namespace)
        self._listener = listener
        self._name = name
        types = tuple(types)
        self._topics: list[Topic] = [(each.code, None) for each in types or SignalType]
        if trace_id is not None:
            self._topics = [(None, id_bytes(trace_id))]
        self._types = frozenset(types)
        self._trace_id = trace_id
        self._transport: Transport | None = None

    async def open(self, timeout_s: float) -> None:
        """Join; return when every later Signal will be received. It may be retried after a failure.

        Raises:
            SynapseUnreachable: It did not connect within `timeout_s` seconds.
            SynapseRefused: The Synapse refuses this namespace, or is full.
            AccessRefused: The Synapse and the key do not fit, or the right `watch` is missing.
        """
        # The limit of a transport applies to Signals it sends, and this one sends none.
        transport = self.synapse.transport(self.namespace, self._name, self._listener, _MAX_BYTES)
        self._listener.name_senders(transport)
        self._listener.missing_right = lambda: self._missing_right(transport)
        try:
            await transport.open(timeout_s, self._topics)
        except BaseException:
            await transport.close(0.0)
            raise
        missing = self._missing_right(transport)
        if missing is not None:
            await transport.close(0.0)
            raise missing
        self._transport = transport

    def _missing_right(self, transport: Transport) -> AccessRefused | None:
        """Return the error if the key may not hear what is wanted: nothing would come, silently."""
        rights = OwnRights(transport, self.synapse.url)
        rights.on_welcomed()
        try:
            rights.check_hear(self._types or SignalType, self._trace_id)
        except AccessRefused as error:
            return error
        return None

    async def close(self) -> None:
        """Disconnect and close."""
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

    async def dendrites(self, timeout_s: float) -> list[DendriteRecord]:
        """Return the Dendrites of the namespace: workers, callers and watchers.

        Raises:
            SynapseUnreachable: Not within `timeout_s` seconds, or not open.
        """
        return await self._open_transport().dendrites(timeout_s)

    async def open_tasks(self, timeout_s: float) -> list[TaskRecord] | None:
        """Return the open tasks; None if this Synapse does not tell them.

        Raises:
            SynapseUnreachable: Not within `timeout_s` seconds, or not open.
        """
        return await self._open_transport().open_tasks(timeout_s)

    async def state(self, timeout_s: float) -> SynapseState:
        """Return the state of the Synapse.

        Raises:
            SynapseUnreachable: Not within `timeout_s` seconds, or not open.
        """
        return await self._open_transport().state(timeout_s)

    def _open_transport(self) -> Transport:
        if self._transport is None:
            raise SynapseUnreachable(self.synapse.url, "not connected yet", "start it")
        return self._transport
