"""The Dendrite: the client that hosts Axons and dispatches TASKs. A facade of small parts."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Iterable
from threading import get_ident
from types import TracebackType
from typing import Self

from ..axon import Axon
from ..cards import Card
from ..configuration import checked_namespace, chosen
from ..errors import DendriteProtocolError, SynapseRefused
from ..names import checked_name
from ..registry import DendriteRecord, NeuronRecord, SynapseState, TaskRecord
from ..runtime.os_signals import stop_signal
from ..stores import RegistryStore
from ..telemetry.liveness import Judgement
from ..telemetry.task_observer import Observers
from ..transport import Synapse
from .caller.answer_arbiter import AnswerArbiter
from .caller.auction import Auctions
from .caller.card_cache import CardCache
from .caller.dispatcher import Dispatcher
from .caller.pathways import Pathways
from .caller.retries import Retries
from .event_router import EventRouter
from .stop_receiver import StopReceiver
from .stop_sender import StopSender
from .verbs.base import Role, check_settings, verb
from .verbs.counts import Counts
from .verbs.decorators import Decorators
from .verbs.emit import EmitVerbs
from .verbs.offer import OfferVerbs
from .verbs.remember import MemoryVerbs
from .verbs.respond import RespondVerbs
from .verbs.source import SourceVerbs
from .verbs.stop import StopVerbs
from .verbs.tools import ToolVerbs
from .watch.publisher import Publisher
from .watch.registry_recorder import RegistryRecorder
from .watch.roster import Roster
from .watch.subscriptions import Subscriptions
from .worker.bidder import Bidder
from .worker.child_calls import ChildCalls
from .worker.inbox import Inbox
from .worker.registration import Registration
from .worker.resync_source import DendriteResyncSource
from .worker.sources import Sources

_START_S = 5.0
_LONG_START_S = 60.0  # for a Synapse that answered a moment ago
_CLOSE_S = 1.0
_OLDER_SYNAPSE = (
    "it is of an older version, which cannot list open tasks; start it with the version that is "
    "installed here"
)


class Dendrite(
    StopVerbs,
    Decorators,
    MemoryVerbs,
    ToolVerbs,
    EmitVerbs,
    OfferVerbs,
    RespondVerbs,
    SourceVerbs,
    Counts,
):
    """A client of a Synapse: hosts Axons, dispatches TASKs, receives Signals.

    One for each process is enough. Call it only from the event loop that started it.

    Args:
        synapse: The Synapse to connect to; from `connect_synapse` or `synapse_from_url`.
        namespace: Its namespace; Signals never cross from one namespace to another. By default
            the variable COSMO_NAMESPACE, else that of the context, else `default`.
        dendrite_id: A name for people; need not be unique.
        role: A `worker` may not dispatch by itself.
        registry_store: The store that records every REGISTER, HEARTBEAT and DEREGISTER of the
            namespace, for queries about the past; the live roster needs none.
        heartbeat_s: The longest time between two HEARTBEATs of an Axon, in seconds.
        max_signal_bytes: Size limit of an encoded Signal; the Synapse may set a lower one.

    Raises:
        InvalidName: `namespace` or `dendrite_id` is invalid.
        InvalidContext: The context cannot be used.
        TypeError: `synapse` is no Synapse, such as a coroutine that was not awaited.
        ValueError: `role` is invalid, or `heartbeat_s` is not over 0.
    """

    def __init__(
        self,
        *,
        synapse: Synapse,
        namespace: str | None = None,
        dendrite_id: str = "dendrite",
        role: Role = "orchestrator",
        registry_store: RegistryStore | None = None,
        heartbeat_s: float = 2.0,
        max_signal_bytes: int = 16 * 1024 * 1024,
    ) -> None:
        check_settings(synapse, role, heartbeat_s)
        super().__init__()
        self.synapse = synapse
        self.namespace = checked_namespace(chosen("namespace", namespace))
        self.dendrite_id = checked_name("dendrite_id", dendrite_id)
        self.role = role
        router = EventRouter(dendrite_id)
        self._transport = synapse.transport(self.namespace, dendrite_id, router, max_signal_bytes)
        self._subscriptions = Subscriptions(self._transport, synapse.url)
        self._publisher = Publisher(self._transport, self._subscriptions)
        self._dispatcher = Dispatcher(self._transport, self._subscriptions, synapse.url)
        self._retries = Retries(self._dispatcher, self._subscriptions)
        self._pathways = Pathways(self._dispatcher, self._subscriptions)
        self._arbiter = AnswerArbiter(self._publisher, self._subscriptions, self._dispatcher)
        self._roster = Roster(self._transport, self._subscriptions)
        self._card_cache = CardCache(self._dispatcher, self._roster)
        children = ChildCalls(self._dispatcher.wait, self._card_cache)
        self._inbox = Inbox(self._transport, self._subscriptions, children, dendrite_id)
        self._dispatcher.why_late = self._inbox.why_late
        self._transport.resync_from(
            DendriteResyncSource(
                self._transport,
                self._dispatcher.open_tasks,
                self._inbox.jobs,
                self._inbox.reply_cache,
            )
        )
        self._auctions = Auctions(self._publisher, self._subscriptions, self._dispatcher)
        self._bidder = Bidder(self._publisher, self._subscriptions, self._inbox)
        self._stop_sender = StopSender(
            self._transport,
            self._publisher,
            self._subscriptions,
            self._dispatcher,
            dendrite_id,
        )
        self._stop_receiver = StopReceiver(
            self._transport, self._publisher, self._subscriptions, self._inbox, dendrite_id
        )
        self._registration = Registration(
            self._transport, self._subscriptions, self._inbox, dendrite_id, heartbeat_s
        )
        self._sources = Sources(self._inbox, self._registration, self._update_subscriptions)
        router.connect(self._dispatcher, self._inbox, self._registration, self._subscriptions)
        self._registry_recorder = self._recorder_for(registry_store)
        self._observers = Observers(self._dispatcher, self._inbox)
        self._at_start: list[Callable[[], None]] = []

    def _recorder_for(self, store: RegistryStore | None) -> RegistryRecorder | None:
        return (
            RegistryRecorder(store, self._subscriptions, self._roster)
            if store is not None
            else None
        )

    def __repr__(self) -> str:
        """Return `Dendrite(id, namespace, state)`."""
        return f"Dendrite({self.dendrite_id}, {self.namespace}, {self._state})"

    # -- life ------------------------------------------------------------------------------------

    @verb
    async def start(self, timeout_s: float | None = _START_S) -> None:
        """Connect and register the Axons; return when what is used is live.

        Args:
            timeout_s: How long it may take; None to wait for the Synapse for ever, with a line in
                the log every 10 s.

        Raises:
            SynapseUnreachable: Not within `timeout_s` seconds.
            SynapseRefused: The Synapse does not serve this namespace, or is full.
            AccessRefused: Its key may not come in, host an Axon of it, or listen to what one of its
                handlers is for.
            DendriteProtocolError: It was started before.
        """
        if self._state != "new":
            raise DendriteProtocolError(f"this Dendrite is {self._state}: make a new one")
        self._settle_here()
        self._begin_telemetry()
        self._state = "running"
        starting = self._starting = asyncio.create_task(self._start(timeout_s), name="start")
        try:
            await asyncio.shield(starting)
        except BaseException:
            stopped_meanwhile = self._stopping is not None
            await self.stop(drain_s=0.0)
            if stopped_meanwhile:
                raise DendriteProtocolError("this Dendrite was stopped while it started") from None
            raise

    async def _start(self, timeout_s: float | None) -> None:
        now = asyncio.get_running_loop().time
        begun_s = now()
        await self._transport.open(timeout_s, self._subscriptions.topics())
        self._subscriptions.check_rights()
        await self._subscriptions.settle()
        left_s = _LONG_START_S if timeout_s is None else max(0.0, begun_s + timeout_s - now())
        await self._registration.start(left_s)
        await self._sources.start()
        if self._registry_recorder is not None:
            await self._registry_recorder.start()

    async def stop(self, reason: str | None = None, *, drain_s: float = 10.0) -> None:
        """Deregister, finish the running tasks, send all replies, close. Idempotent.

        Called by a Neuron of this Dendrite it returns at once, since it would wait for its caller:
        the Neuron ends as any other, and its reply is sent before the end.

        Args:
            reason: The reason in the DEREGISTER.
            drain_s: How long running tasks may take; then they are cancelled and their callers
                receive ERROR `CANCELLED`.
        """
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._stop(reason, drain_s), name="stop")
        if not self._inbox.runs_here(asyncio.current_task()):
            await asyncio.shield(self._stopping)

    async def _stop(self, reason: str | None, drain_s: float) -> None:
        self._state = "stopped"
        try:
            if self._starting is not None and not self._starting.done():
                self._starting.cancel()
                await asyncio.wait([self._starting])
            await self._bidder.close()
            await self._registration.stop(reason)
            await self._end_tasks(drain_s)
            self._dispatcher.close()
            self._pathways.close()
        finally:
            await self._sources.close()
            self._observers.close()
            await self._transport.close(_CLOSE_S)
            await self._subscriptions.close()

    async def _end_tasks(self, drain_s: float) -> None:
        await self._inbox.drain(drain_s)
        await self._sources.close()
        await self._stop_receiver.close(drain_s)

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Stop."""
        await self.stop()

    @verb
    async def serve(self) -> None:
        """Wait for SIGINT or SIGTERM, then drain and return. Starts a Dendrite that is new.

        Raises:
            DendriteProtocolError: Called outside the main thread, where OS signals arrive.
        """
        if self._state == "new":
            await self.start()
        try:
            await stop_signal()
        except (RuntimeError, ValueError) as error:
            raise DendriteProtocolError(
                "serve() works on the main thread only: on another thread wait for an event of "
                "your own and call stop()"
            ) from error
        await self.stop("signal")

    def _begin_telemetry(self) -> None:
        _trace_if_configured(self)
        for call in self._at_start:
            call()

    def _on_loop(self, call: Callable[[], None]) -> None:
        """Call something on its loop: now, soon, or at its start; from any thread."""
        home = self._home
        if home is None:
            self._at_start.append(call)
        elif self._home_thread == get_ident():
            call()
        else:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                home.call_soon_threadsafe(call)

    def _ready(self) -> Judgement:
        """Return whether work can reach it, and else why not; from any thread."""
        if self._state == "stopped":
            return Judgement(False, "the Dendrite is stopping, or has stopped")
        if self._starting is None or not self._starting.done():
            return Judgement(False, "the Dendrite is not connected yet")
        away_s = self._transport.away_s
        if away_s is not None:
            where = self.synapse.url
            return Judgement(False, f"the Synapse at {where} has been away for {away_s:.0f} s")
        if missing := self._registration.missing():
            return Judgement(False, f"not registered yet: {', '.join(missing)}")
        return Judgement(True, f"connected to {self.synapse.url}")

    def attach_axon(self, axon: Axon) -> None:
        """Host an Axon; call it before `start`.

        Raises:
            TypeError: It is no Axon; the text says what to give.
            ValueError: An Axon with this id is attached already.
            DendriteProtocolError: The Dendrite was started.
        """
        if self._state != "new":
            raise DendriteProtocolError(
                f"attach_axon works before start only, and this Dendrite is {self._state}: use "
                "'await dendrite.add_axon(axon)' on a running Dendrite"
            )
        self._inbox.add(axon)
        self._update_subscriptions()

    def _update_subscriptions(self) -> None:
        """Subscribe to the Signals that the attached Axons need, and to no others."""
        self._bidder.update_subscription()
        self._stop_receiver.update_subscription()

    @verb
    async def add_axon(self, axon: Axon) -> None:
        """Host an Axon at any time; on a running Dendrite return when the Synapse routes to it.

        Raises:
            TypeError: It is no Axon; the text says what to give.
            ValueError: An Axon with this id is attached already.
            SynapseUnreachable: The Synapse did not acknowledge it within 5 s.
            SynapseRefused: The Synapse refused it.
            AccessRefused: The key of this Dendrite may not host it.
            DendriteProtocolError: The Dendrite was stopped.
        """
        if self._state == "stopped":
            raise DendriteProtocolError("this Dendrite is stopped: make a new one")
        self._inbox.add(axon)
        self._update_subscriptions()
        if self._state == "running":
            try:
                await self._registration.announce_one(axon, _START_S)
            except BaseException:
                self._inbox.discard(axon.neuron_id)
                self._update_subscriptions()
                raise
            await self._subscriptions.settle()

    @verb
    async def detach_axon(self, neuron_id: str, *, drain_s: float = 10.0) -> None:
        """Remove an Axon: it receives no new TASKs, and its jobs may run for `drain_s` seconds.

        Raises:
            ValueError: No Axon with this id is attached.
        """
        axon = self._inbox.axon(neuron_id)
        if self._state == "running":
            self._registration.deregister(axon, "detached")
        try:
            await self._inbox.detach(neuron_id, drain_s)
        finally:
            self._update_subscriptions()

    # -- roster ----------------------------------------------------------------------------------

    @verb
    async def find_neurons(self, capability: str | None = None) -> list[NeuronRecord]:
        """Return the live Axons of the namespace that offer a capability, or all of them.

        The Synapse answers from its tables; each replica has a record.

        Raises:
            InvalidName: `capability` is invalid.
            SynapseUnreachable: The Synapse does not answer within 5 s.
            DendriteProtocolError: Not running.
        """
        self._check_running()
        wanted = "" if capability is None else checked_name("capability", capability)
        return await self._roster.find(capability=wanted)

    @verb
    async def registry_snapshot(self) -> list[NeuronRecord]:
        """Return every live Axon of the namespace; see `find_neurons`."""
        return await self.find_neurons()

    @verb
    async def dendrites_snapshot(self) -> list[DendriteRecord]:
        """Return every Dendrite of the namespace: workers, callers and watchers, oldest first.

        A Synapse of an older version cannot tell, and then the list is empty.

        Raises:
            SynapseUnreachable: The Synapse does not answer within 5 s.
            DendriteProtocolError: Not running.
        """
        self._check_running()
        return await self._transport.dendrites(_START_S)

    @verb
    async def open_tasks(self) -> list[TaskRecord]:
        """Return the open tasks of the namespace, those of a caller together, its oldest first.

        With keys they are all of them for a key with the right `watch`, else those that it sent.

        Raises:
            SynapseUnreachable: The Synapse does not answer within 5 s.
            SynapseRefused: It is of an older version, which cannot tell.
            DendriteProtocolError: Not running.
        """
        self._check_running()
        tasks = await self._transport.open_tasks(_START_S)
        if tasks is None:
            raise SynapseRefused(self.synapse.url, _OLDER_SYNAPSE)
        return tasks

    @verb
    async def synapse_state(self) -> SynapseState:
        """Return the state of the Synapse: its load, and its counters since its start.

        Raises:
            SynapseUnreachable: The Synapse does not answer within 5 s.
            DendriteProtocolError: Not running.
        """
        self._check_running()
        return await self._transport.state(_START_S)

    @verb
    async def wait_for_neuron(
        self,
        *,
        neuron: str | None = None,
        capabilities: Iterable[str] | None = None,
        timeout_s: float = 30.0,
    ) -> NeuronRecord:
        """Return the first live Axon that serves an address, as soon as one is registered.

        Raises:
            ValueError: Neither or both of neuron and capabilities, or an invalid name.
            TimeoutError: No such Axon is live within `timeout_s` seconds.
            DendriteProtocolError: Not running.
        """
        self._check_running()
        return await self._roster.wait(neuron, capabilities, timeout_s)

    @verb
    async def card(self, neuron_id: str, *, timeout_s: float = 5.0) -> Card:
        """Return what a live Neuron takes, gives and is for.

        It comes from any replica, once for each digest: `find_neurons` tells whether replicas
        differ.

        Raises:
            InvalidName: `neuron_id` is invalid.
            NeuronError: NO_SUCH_NEURON, no live Axon has this id; BAD_OUTPUT, it sent no card;
                BAD_SIGNAL, its replica is of an older version.
            TimeoutError: It did not come within `timeout_s` seconds.
            SynapseUnreachable: The Synapse does not answer in this time.
            DendriteProtocolError: Not running, or in the role of a worker.
        """
        self._check_may_dispatch()
        return await self._card_cache.card(checked_name("neuron_id", neuron_id), timeout_s)

    @verb
    async def cards(self, pattern: str = "*", *, timeout_s: float = 5.0) -> dict[str, Card]:
        """Return the cards of all live Neurons that have one, by id.

        One that does not come in time, or is none, is left out, logged and counted. Those that our
        key may not send tasks to are left out too.

        Args:
            pattern: Which ids: `*` stands for any characters, `?` for one.
            timeout_s: How long it may take.

        Raises:
            SynapseUnreachable: The Synapse does not answer in this time.
            DendriteProtocolError: Not running, or in the role of a worker.
        """
        self._check_may_dispatch()
        return await self._card_cache.cards(pattern, timeout_s)


def _trace_if_configured(dendrite: Dendrite) -> None:
    """Turn its traces on where the program has set up OpenTelemetry; nothing is imported for it."""
    if "opentelemetry.trace" in sys.modules:
        from ..tracing.switch import enable_if_configured

        enable_if_configured(dendrite)
