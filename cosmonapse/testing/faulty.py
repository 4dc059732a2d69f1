"""A Synapse as one Dendrite sees it, with the faults that a network can have.

One `FaultInjector` for each kind of traffic stands above the real connection, and one
`CuttableCarrier` beneath it. Nothing of the Dendrite, of its client or of the Synapse is replaced.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, cast, get_args

from ..synapse.adapter import ClientSynapse, ClientTransport
from ..transport import Outcome, Receiver
from .cuttable_carrier import CuttableCarrier
from .fault_injector import FaultInjector

Traffic = Literal["tasks", "replies", "broadcasts"]


class FaultyTransport(ClientTransport):
    """One connection with faults; see `cosmonapse.transport.Transport`."""

    faults: FaultySynapse

    async def close(self, timeout_s: float) -> bool:
        """See the port; over a line that was cut, no goodbye is sent."""
        for injector in self.faults.injectors.values():
            injector.heal()
        return await super().close(0.0 if self.faults.line.is_cut else timeout_s)

    async def barrier(self, timeout_s: float) -> bool:
        """See the port; over a line that was cut nothing more can arrive."""
        return not self.faults.line.is_cut and await super().barrier(timeout_s)

    def send_task(
        self,
        address: bytes,
        task: bytes,
        trace: bytes,
        kind: int,
        body: bytes,
        ttl_ms: int,
        flags: int,
    ) -> Outcome:
        """See the port."""
        sent_at_s = time.monotonic()

        def send() -> Outcome:
            left_ms = ttl_ms - int((time.monotonic() - sent_at_s) * 1000)
            if left_ms <= 0:
                return Outcome.SENT  # its time ended on the way; the caller knows by its own clock
            return super(FaultyTransport, self).send_task(
                address, task, trace, kind, body, left_ms, flags
            )

        if self.faults.tasks_refused:
            return Outcome.BUSY
        injector = self.faults.injectors["tasks"]
        if injector.free:
            return send()
        injector.take(send)
        return Outcome.SENT

    def send_reply(
        self,
        caller: bytes,
        task: bytes,
        trace: bytes,
        kind: int,
        body: bytes,
        index: int,
        flags: int,
    ) -> Outcome:
        """See the port."""

        def send() -> Outcome:
            return super(FaultyTransport, self).send_reply(
                caller, task, trace, kind, body, index, flags
            )

        injector = self.faults.injectors["replies"]
        if injector.free:
            return send()
        injector.take(send)
        return Outcome.SENT


class FaultySynapse(ClientSynapse):
    """The Synapse of one Dendrite, with faults on the way to it.

    Args:
        beneath: The real Synapse.

    Attributes:
        injectors: One for each kind of traffic: tasks, replies, broadcasts.
        line: The carrier that can be cut; set once a Dendrite was made.
        tasks_refused: Whether every task is refused as with full queues.
    """

    transport_type = FaultyTransport
    line: CuttableCarrier

    def __init__(self, beneath: ClientSynapse) -> None:
        super().__init__(beneath.where, beneath.user)
        self._beneath = beneath
        self.injectors: Mapping[Traffic, FaultInjector] = MappingProxyType(
            {each: FaultInjector() for each in get_args(Traffic)}
        )
        self.tasks_refused = False

    def heal(self) -> None:
        """End every loss, delay and refusal; a line stays cut."""
        self.tasks_refused = False
        for injector in self.injectors.values():
            injector.heal()

    async def connect(self, timeout_s: float | None) -> None:
        """See the port."""
        await self._beneath.connect(timeout_s)

    def carrier(self, namespace: str, max_signal_bytes: int) -> CuttableCarrier:
        """Return the carrier of one connection."""
        self.line = CuttableCarrier(
            lambda: self._beneath.carrier(namespace, max_signal_bytes),
            self.injectors["broadcasts"].take,
        )
        return self.line

    def transport(
        self, namespace: str, dendrite_id: str, receiver: Receiver, max_signal_bytes: int
    ) -> FaultyTransport:
        """See the port."""
        made = super().transport(namespace, dendrite_id, receiver, max_signal_bytes)
        faulty = cast(FaultyTransport, made)
        faulty.faults = self
        return faulty

    async def taken_in(self, timeout_s: float) -> None:
        """Return when the Synapse knows the Dendrite, its Axons and its listeners again.

        Raises:
            SynapseUnreachable: Not within `timeout_s` seconds.
        """
        for transport in list(self._transports):
            await transport.sync(timeout_s)
            await transport.roster("", "", timeout_s)  # answered after the Axons are announced
