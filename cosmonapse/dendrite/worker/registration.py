"""Registration: Axons are announced, show life and take leave; again after every reconnect."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from ...axon import Axon
from ...errors import SynapseRefused, SynapseUnreachable
from ...signals import Signal, SignalType
from ...transport import PresenceVerb, Transport
from .inbox import Inbox

_LOG = logging.getLogger(__name__)
_TYPES = {
    PresenceVerb.REGISTER: SignalType.REGISTER,
    PresenceVerb.HEARTBEAT: SignalType.HEARTBEAT,
    PresenceVerb.DEREGISTER: SignalType.DEREGISTER,
}


class Registration:
    """Tells the Synapse, and through it everyone, who we are and how we are.

    Args:
        transport: What carries it.
        url: Where the Synapse is, for people.
        inbox: Whose Axons they are.
        dendrite_id: How this Dendrite is called.
        role: What this Dendrite calls itself.
        heartbeat_s: The longest time between two signs of life.
    """

    def __init__(
        self,
        transport: Transport,
        url: str,
        inbox: Inbox,
        dendrite_id: str,
        role: str,
        heartbeat_s: float,
    ) -> None:
        self._transport = transport
        self._url = url
        self._inbox = inbox
        self._meta = {"dendrite": dendrite_id, "instance": transport.instance.hex()}
        self._role = role
        self._heartbeat_s = heartbeat_s
        self._lag_ms = 0
        self._beating: asyncio.Task[None] | None = None
        self._answers: dict[str, asyncio.Future[str]] = {}
        self._running = False

    async def start(self, timeout_s: float) -> None:
        """Announce every Axon; return when the Synapse has them in its tables.

        Raises:
            SynapseUnreachable: It did not say so within `timeout_s` seconds.
            SynapseRefused: It does not take one of them.
        """
        self._running = True
        self.announce()
        await self._acknowledged(list(self._answers), timeout_s)
        self._beating = asyncio.get_running_loop().create_task(self._beat(), name="heartbeat")

    async def _acknowledged(self, neuron_ids: list[str], timeout_s: float) -> None:
        answers = {each: self._answers[each] for each in neuron_ids}
        if not answers:
            return
        _, silent = await asyncio.wait(answers.values(), timeout=timeout_s)
        if silent:
            names = ", ".join(each for each, answer in answers.items() if answer in silent)
            raise SynapseUnreachable(
                self._url, f"it does not acknowledge {names}", "look at its log"
            )
        for neuron_id, answer in answers.items():
            if answer.result():
                raise SynapseRefused(self._url, f"Axon {neuron_id}: {answer.result()}")

    def announce(self) -> None:
        """Send REGISTER for every Axon."""
        if not self._running:
            return
        for axon in self._inbox.axons:
            self._register(axon)

    async def announce_one(self, axon: Axon, timeout_s: float) -> None:
        """Announce one more Axon; return when the Synapse has it in its tables.

        Raises:
            SynapseUnreachable: It did not say so within `timeout_s` seconds.
            SynapseRefused: It does not take it.
        """
        self._register(axon)
        await self._acknowledged([axon.neuron_id], timeout_s)

    def take_leave(self, axon: Axon, reason: str | None) -> None:
        """Send DEREGISTER for one Axon: no new TASKs come for it from now on."""
        self._send(PresenceVerb.DEREGISTER, axon, {"reason": reason} if reason else {})

    def _register(self, axon: Axon) -> None:
        if axon.neuron_id not in self._answers or self._answers[axon.neuron_id].done():
            self._answers[axon.neuron_id] = asyncio.get_running_loop().create_future()
        payload: dict[str, Any] = {"role": self._role, "capabilities": list(axon.capabilities)}
        if axon.version is not None:
            payload["version"] = axon.version
        self._send(PresenceVerb.REGISTER, axon, payload)

    def on_registered(self, neuron_id: str, refusal: str) -> None:
        """Note that the Synapse has an Axon in its tables, or why it has not."""
        if refusal:
            _LOG.error("the Synapse does not take the Axon %s: %s", neuron_id, refusal)
        answer = self._answers.get(neuron_id)
        if answer is not None and not answer.done():
            answer.set_result(refusal)

    async def stop(self, reason: str | None) -> None:
        """Take leave: no new TASKs come from now on."""
        self._running = False
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.wait([self._beating])
        for axon in self._inbox.axons:
            self.take_leave(axon, reason)

    async def _beat(self) -> None:
        """Send a HEARTBEAT for every Axon, and measure how late the loop wakes us."""
        loop = asyncio.get_running_loop()
        while True:
            every_s = min(self._heartbeat_s, self._transport.heartbeat_s)
            due_at_s = loop.time() + every_s
            await asyncio.sleep(every_s)
            self._lag_ms = max(0, int((loop.time() - due_at_s) * 1000))
            self._inbox.answers.expire(loop.time())
            for axon in self._inbox.axons:
                running, queued = self._inbox.load(axon.neuron_id)
                payload = {
                    "status": "busy" if queued else "ready",
                    "running": running,
                    "queued": queued,
                    "loop_lag_ms": self._lag_ms,
                }
                self._send(PresenceVerb.HEARTBEAT, axon, payload)

    def _send(self, verb: PresenceVerb, axon: Axon, payload: dict[str, Any]) -> None:
        signal_type = _TYPES[verb]
        signal = Signal(type=signal_type, payload=payload, directed=axon.producer, meta=self._meta)
        body = signal.encode()
        self._transport.send_presence(verb, axon.neuron_id, payload, signal_type.code, body)
