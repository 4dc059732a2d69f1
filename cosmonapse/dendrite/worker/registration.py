"""Registration: sends REGISTER, HEARTBEAT and DEREGISTER for every Axon of a Dendrite.

Spec: docs/spec/04-liveness.md; docs/spec/09-resync.md, "After WELCOME": REGISTER is sent again
after every reconnect.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from ...axon import Axon
from ...cards import summary_of
from ...errors import SynapseRefused, SynapseUnreachable
from ...runtime.loop_watch import watch_running_loop
from ...signals import Signal, SignalType
from ...transport import PresenceVerb, Transport
from ..watch.subscriptions import Subscriptions
from .inbox import Inbox

_LOG = logging.getLogger(__name__)
_ROLE = "worker"
"""What a Dendrite with Axons does; the argument `role` says only whether it may dispatch too."""
_FOR_RIGHTS = "access: "
"""How the Synapse begins the refusal of a REGISTER for a right (11-access)."""
_SLOTS = 20
"""How many moments in one interval heartbeats are sent at."""
_TYPES = {
    PresenceVerb.REGISTER: SignalType.REGISTER,
    PresenceVerb.HEARTBEAT: SignalType.HEARTBEAT,
    PresenceVerb.DEREGISTER: SignalType.DEREGISTER,
}


class Registration:
    """Registers the Axons of a Dendrite and reports their load.

    Args:
        transport: Carries the presence Signals.
        subscriptions: Know what our own key may do.
        inbox: Holds the Axons.
        dendrite_id: The id of this Dendrite.
        heartbeat_s: The longest time between two HEARTBEATs.
    """

    def __init__(
        self,
        transport: Transport,
        subscriptions: Subscriptions,
        inbox: Inbox,
        dendrite_id: str,
        heartbeat_s: float,
    ) -> None:
        self._transport = transport
        self._own_rights = subscriptions.own_rights
        self._url = subscriptions.own_rights.url
        self._inbox = inbox
        self._meta = {"dendrite": dendrite_id, "instance": transport.instance.hex()}
        self._heartbeat_s = heartbeat_s
        self._lag_ms = 0
        self._heartbeat_task: asyncio.Task[None] | None = None
        self._acknowledgements: dict[str, asyncio.Future[str]] = {}
        self._running = False
        self._unwatch: Callable[[], None] | None = None

    async def start(self, timeout_s: float) -> None:
        """Register every Axon; return when the Synapse has acknowledged all of them.

        Raises:
            SynapseUnreachable: It did not acknowledge them within `timeout_s` seconds.
            SynapseRefused: It refused one of them.
            AccessRefused: Our key may not host one of them.
        """
        self._own_rights.check_serve([axon.neuron_id for axon in self._inbox.axons])
        self._running = True
        self._watch_loop()
        self.announce()
        await self._acknowledged(list(self._acknowledgements), timeout_s)
        self._heartbeat_task = asyncio.get_running_loop().create_task(
            self._send_heartbeats(), name="heartbeat"
        )

    def _watch_loop(self) -> None:
        """Let a function that blocks the loop be named, once there is an Axon."""
        if self._unwatch is None and self._inbox.hosts:
            self._unwatch = watch_running_loop()

    async def _acknowledged(self, neuron_ids: list[str], timeout_s: float) -> None:
        pending = {each: self._acknowledgements[each] for each in neuron_ids}
        if not pending:
            return
        _, silent = await asyncio.wait(pending.values(), timeout=timeout_s)
        if silent:
            names = ", ".join(each for each, answer in pending.items() if answer in silent)
            raise SynapseUnreachable(
                self._url, f"it did not acknowledge {names}", "look at its log"
            )
        for neuron_id, answer in pending.items():
            if answer.result().startswith(_FOR_RIGHTS):
                raise self._own_rights.refused_to_serve(neuron_id)
            if answer.result():
                raise SynapseRefused(self._url, f"Axon {neuron_id}: {answer.result()}")

    def missing(self) -> list[str]:
        """Return the Axons that the Synapse has not registered, or refused; from any thread."""
        answers = self._acknowledgements
        return [
            axon.neuron_id
            for axon in self._inbox.axons
            if (answer := answers.get(axon.neuron_id)) is None
            or not answer.done()
            or answer.cancelled()
            or answer.result()
        ]

    def announce(self) -> None:
        """Send REGISTER for every Axon."""
        if not self._running:
            return
        for axon in self._inbox.axons:
            self._register(axon)

    async def announce_one(self, axon: Axon, timeout_s: float) -> None:
        """Register one more Axon; return when the Synapse has acknowledged it.

        Raises:
            SynapseUnreachable: It did not acknowledge it within `timeout_s` seconds.
            SynapseRefused: It refused it.
            AccessRefused: Our key may not host it.
        """
        self._own_rights.check_serve([axon.neuron_id])
        self._watch_loop()
        self._register(axon)
        await self._acknowledged([axon.neuron_id], timeout_s)

    def deregister(self, axon: Axon, reason: str | None) -> None:
        """Send DEREGISTER for one Axon: the Synapse sends it no new TASKs."""
        self._send(PresenceVerb.DEREGISTER, axon, {"reason": reason} if reason else {})

    def _register(self, axon: Axon) -> None:
        if (
            axon.neuron_id not in self._acknowledgements
            or self._acknowledgements[axon.neuron_id].done()
        ):
            self._acknowledgements[axon.neuron_id] = asyncio.get_running_loop().create_future()
        payload: dict[str, Any] = {"role": _ROLE, "capabilities": list(axon.capabilities)}
        if axon.version is not None:
            payload["version"] = axon.version
        if axon.is_described:
            payload["card"] = axon.card.digest
            if axon.description:
                payload["description"] = summary_of(axon.description)
        self._send(PresenceVerb.REGISTER, axon, payload)

    def on_registered(self, neuron_id: str, refusal: str) -> None:
        """Record that the Synapse has registered an Axon, or why it refused."""
        if refusal:
            _LOG.error("the Synapse refused the Axon %s: %s", neuron_id, refusal)
        answer = self._acknowledgements.get(neuron_id)
        if answer is not None and not answer.done():
            answer.set_result(refusal)

    async def stop(self, reason: str | None) -> None:
        """Deregister every Axon: the Synapse sends no new TASKs."""
        self._running = False
        if self._unwatch is not None:
            self._unwatch()
            self._unwatch = None
        if self._heartbeat_task is not None:
            self._heartbeat_task.cancel()
            await asyncio.wait([self._heartbeat_task])
        for axon in self._inbox.axons:
            self.deregister(axon, reason)

    async def _send_heartbeats(self) -> None:
        """Send a HEARTBEAT for every Axon at intervals, with the lag of the event loop."""
        loop = asyncio.get_running_loop()
        while True:
            every_s = min(self._heartbeat_s, self._transport.heartbeat_s)
            due_at_s = _slot_before(loop.time() + every_s, every_s)
            await asyncio.sleep(due_at_s - loop.time())
            self._lag_ms = max(0, int((loop.time() - due_at_s) * 1000))
            self._inbox.reply_cache.expire(loop.time())
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


def _slot_before(at_s: float, every_s: float) -> float:
    """Return the last moment up to `at_s` at which heartbeats of this process are sent.

    Those of many Dendrites in one process then come in groups, which cost their Synapse a wake-up
    each, and not all at once.
    """
    slot_s = every_s / _SLOTS
    return at_s // slot_s * slot_s
