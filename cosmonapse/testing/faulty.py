"""A Synapse as one Dendrite sees it, with everything that may go wrong on the way there.

Above the real connection stands one `Lane` for each kind of traffic, beneath it a `Line` that can
be cut. Nothing of the Dendrite, of its client or of the Synapse is replaced.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

from ..synapse.adapter import ClientSynapse, ClientTransport
from ..transport import Outcome, Receiver
from .cuttable_carrier import CuttableCarrier
from .fault_injector import FaultInjector

Traffic = Literal["tasks", "replies", "broadcasts"]


class FaultyTransport(ClientTransport):
    """One connection with faults; see `cosmonapse.transport.Transport`."""

    faults: FaultySynapse

    async def close(self, timeout_s: float) -> bool:
        """See the port; over a line that was cut there is nobody to say goodbye to."""
        for lane in self.faults.lanes.values():
            lane.heal()
        return await super().close(0.0 if self.faults.line.is_cut else timeout_s)

    async def barrier(self, timeout_s: float) -> bool:
        """See the port; over a line that was cut nothing more can arrive."""
        return not self.faults.line.is_cut and await super().barrier(timeout_s)

    def send_task(
        self,
        neuron: str | None,
        capabilities: tuple[str, ...],
        task: bytes,
        trace: bytes,
        kind: int,
        body: bytes,
        *,
        ttl_ms: int,
        keep: bool,
    ) -> Outcome:
        """See the port."""
        sent_at_s = time.monotonic()

        def send() -> Outcome:
            left_ms = ttl_ms - int((time.monotonic() - sent_at_s) * 1000)
            if left_ms <= 0:
                return Outcome.SENT  # its time ended on the way; the caller knows by its own clock
            return super(FaultyTransport, self).send_task(
                neuron, capabilities, task, trace, kind, body, ttl_ms=left_ms, keep=keep
            )

        if self.faults.tasks_refused:
            return Outcome.BUSY
        lane = self.faults.lanes["tasks"]
        if lane.free:
            return send()
        lane.take(send)
        return Outcome.SENT

    def send_reply(
        self,
        caller: bytes,
        task: bytes,
        trace: bytes,
        kind: int,
        body: bytes,
        *,
        index: int,
        settles: bool,
        skips: bool = False,
    ) -> Outcome:
        """See the port."""

        def send() -> Outcome:
            return super(FaultyTransport, self).send_reply(
                caller, task, trace, kind, body, index=index, settles=settles, skips=skips
            )

        lane = self.faults.lanes["replies"]
        if lane.free:
            return send()
        lane.take(send)
        return Outcome.SENT


class FaultySynapse(ClientSynapse):
    """A Synapse for one Dendrite, which can be kept from it.

    Args:
        beneath: The Synapse itself.

    Attributes:
        lanes: The ways of tasks, replies and broadcasts.
        line: What is cut; there once a Dendrite was made.
        tasks_refused: Whether a task finds no room to wait for its turn.
    """

    line: CuttableCarrier

    def __init__(self, beneath: ClientSynapse) -> None:
        super().__init__(beneath.where)
        self._beneath = beneath
        self.lanes: Mapping[Traffic, FaultInjector] = MappingProxyType(
            {each: FaultInjector() for each in get_args(Traffic)}
        )
        self.tasks_refused = False

    def heal(self) -> None:
        """End every loss, delay and refusal; a line stays cut."""
        self.tasks_refused = False
        for lane in self.lanes.values():
            lane.heal()

    async def connect(self, timeout_s: float) -> None:
        """See the port."""
        await self._beneath.connect(timeout_s)

    def carrier(self, max_signal_bytes: int) -> CuttableCarrier:
        """Return what moves the frames of one connection."""
        self.line = CuttableCarrier(
            lambda: self._beneath.carrier(max_signal_bytes), self.lanes["broadcasts"].take
        )
        return self.line

    def transport(
        self, namespace: str, dendrite_id: str, receiver: Receiver, max_signal_bytes: int
    ) -> FaultyTransport:
        """See the port."""
        made = FaultyTransport(
            self.carrier(max_signal_bytes),
            self.where,
            namespace,
            dendrite_id,
            receiver,
            max_signal_bytes,
            self._transports.discard,
        )
        made.faults = self
        self._transports.add(made)
        return made

    async def taken_in(self, timeout_s: float) -> None:
        """Return when the Synapse knows the Dendrite, its Axons and its listeners again.

        Raises:
            SynapseUnreachable: Not within `timeout_s` seconds.
        """
        for transport in list(self._transports):
            await transport.sync(timeout_s)
            await transport.roster("", "", timeout_s)  # answered behind what announces the Axons
