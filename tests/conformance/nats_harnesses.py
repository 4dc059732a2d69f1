"""The fabric on NATS, as the shipped suite knows it: one `Harness` for each way in which it ends.

Each has a nats-server of its own; routers run in threads of this process.
"""

import asyncio
import contextlib
import os
import threading
from collections import Counter
from types import MappingProxyType, SimpleNamespace
from unittest import mock

from conformance.harnesses import FEW, Lossy, OurHarness, Tested
from cosmonapse.synapse.limits import settings_of
from cosmonapse.synapse.nats import router
from cosmonapse.synapse.nats.carrier import NatsCarrier
from cosmonapse.synapse.nats.place import NatsPlace
from cosmonapse.synapse.nats.router import NatsRouter
from cosmonapse.synapse.nats.shares import dealt, slot_of
from cosmonapse.synapse.nats.slot import Slot
from cosmonapse.synapse.nats.synapse import NatsSynapse
from support.nats_servers import NatsServer, need_nats_server
from support.processes import TIMEOUT_S

NEEDS_TIME_AWAY = (
    "test_away_is_reported_and_so_is_a_synapse_that_comes_back_without_memory",
    "test_the_time_that_the_synapse_has_been_away_is_known",
    "test_drained_returns_when_nothing_waits_any_more",
    "test_close_says_that_what_waited_was_not_read",
    "test_presence_is_not_kept_while_away",
    "test_a_task_whose_time_ends_while_it_waits_does_not_run",
    "test_what_waits_has_a_bound_and_what_is_over_it_is_busy",
    "test_sync_of_a_transport_that_is_closed_meanwhile_is_unreachable",
)


class TestedCarrier(Lossy, NatsCarrier):
    """A carrier that can leave the directed messages to it unread."""

    held = None

    def _on_message(self, uplink, message):
        if self.held is None:
            super()._on_message(uplink, message)
        else:
            self.held.append((uplink, message))

    @contextlib.contextmanager
    def not_reading(self, is_over):
        """Read nothing; what came over a connection that is over by then is lost."""
        self.held = []
        yield
        held, self.held = self.held, None
        for message in held if not is_over() else ():
            super()._on_message(*message)


class TestedNatsSynapse(Tested, NatsSynapse):
    """Tells the namespace that is asked for."""

    def __init__(self, url, on_namespace):
        super().__init__(NatsPlace.of(url))
        self._on_namespace = on_namespace

    def carrier(self, namespace, max_signal_bytes):
        self._on_namespace(namespace)
        self._carrier = TestedCarrier(self._place, namespace)
        return self._carrier


class RouterThread:
    """A router in a thread of its own."""

    def __init__(self, url, settings):
        self.router = NatsRouter(NatsPlace.of(url), settings)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        asyncio.run(self.router.run())

    def wait_until_ready(self):
        assert self.router.ready.wait(TIMEOUT_S), "the router does not serve"

    def end(self):
        """End it without a word."""
        self.router.ask_to_stop(farewell=False)
        self._thread.join(TIMEOUT_S)
        assert not self._thread.is_alive(), "the router does not end"

    @property
    def id(self):
        term = self.router._term
        return b"" if term is None else term.context.router


class Nats(OurHarness):
    """One router at one nats-server; what is killed and comes back is the router."""

    routers_count = 1

    def __init__(self, namespaces=(), *, mortal=False, **limits):
        need_nats_server()
        self._settings = settings_of(namespaces, limits)
        self._server = NatsServer()
        self._namespace = ""
        self._patches = contextlib.ExitStack()
        self._kills = 0
        self._past = Counter()
        self._routers = [self._begun() for _ in range(self.routers_count)]
        for each in self._routers:
            each.wait_until_ready()

    def _begun(self):
        return RouterThread(self._server.url, self._settings)

    def synapse(self):
        return TestedNatsSynapse(self._server.url, self._on_namespace)

    def _on_namespace(self, namespace):
        self._namespace = namespace

    @property
    def counts(self):
        return sum((each.router.counts for each in self._routers), Counter(self._past))

    def fall_silent(self):
        routers = {id(each.router) for each in self._routers}
        on_data = Slot.on_data

        def unheard(slot, *arguments):
            if id(slot._post) not in routers:
                on_data(slot, *arguments)

        self._patches.enter_context(mock.patch.object(Slot, "on_data", unheard))

    def expire_after(self, silence_s):
        for each in self._routers:
            for engine in each.router.engines.values():
                engine.tables.liveness.expiry_s = silence_s

    def small_queues(self):
        return mock.patch.object(NatsCarrier, "window", FEW)

    def not_reading(self, transport):
        kills = self._kills
        return transport.carrier.not_reading(lambda: self._kills != kills)

    async def kill(self):
        self._kills += 1
        await asyncio.to_thread(self._end, self._routers.pop())

    async def revive(self):
        self._routers.append(self._begun())
        await asyncio.to_thread(self._routers[-1].wait_until_ready)

    def _end(self, victim):
        victim.end()
        self._past += victim.router.counts

    def stop(self):
        self._patches.close()
        for each in self._routers:
            each.end()
        self._server.stop()


class NatsDies(Nats):
    """The same; what is killed and comes back is nats-server, and the router lives on."""

    async def kill(self):
        self._kills += 1
        self._server.kill()

    async def revive(self):
        self._server.start()


class NatsTwo(Nats):
    """Two routers; what is killed is the one that serves the namespace, and the other takes over.

    The one that comes at `revive` takes nothing that the test uses away from the first one: what a
    move costs a bare user of the port would be as at `kill`. tests/integration has moves.
    """

    routers_count = 2
    not_applicable = MappingProxyType(
        dict.fromkeys(NEEDS_TIME_AWAY, "no time away: one takes over")
    )

    async def kill(self):
        self._kills += 1
        slot = slot_of(self._namespace)
        serving = [each for each in self._routers if each.router.engines.get(slot)]
        victim = (serving or self._routers)[-1]
        self._routers.remove(victim)
        await asyncio.to_thread(self._end, victim)

    async def revive(self):
        (first,) = self._routers
        slot = slot_of(self._namespace)
        while dealt(drawn := os.urandom(16), [first.id]) >> slot & 1:
            pass
        with mock.patch.object(router, "os", SimpleNamespace(urandom=lambda _: drawn)):
            await super().revive()
