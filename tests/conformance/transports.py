"""The transports that the suite is run against, and what it does to them.

Another transport adds its class, with the same methods, to `TRANSPORTS`.
"""

import contextlib
import functools
import os
import tempfile
from unittest import mock

from cosmonapse import synapse_from_url
from cosmonapse.synapse.memory import MemorySynapse
from cosmonapse.synapse.server import SynapseServer
from support.processes import free_ports
from zmq_transport.sockets import options


class _Ours:
    """What both have in common, because the same engine and the same client are inside."""

    @property
    def counts(self):
        """The counters of the Synapse."""
        return dict(self._engine.counts)

    def count(self, name):
        """Return one of them."""
        return self.counts.get(name, 0)

    def fall_silent(self):
        """Let the Synapse read everything and answer nothing."""
        self._engine.on_message = lambda *_: []
        self._engine.subscriptions.subscribe = lambda *_: "ignore"

    def lose_patience(self, silence_s):
        """Let it give no tasks to who has been silent that long."""
        self._engine.tables.liveness.expiry_s = silence_s

    @staticmethod
    def vanish(transport):
        """End a connection as the death of its process does."""
        transport._client.abort()

    @staticmethod
    def losing_broadcasts(transport):
        """Lose whatever the transport publishes, inside a `with` block."""
        return mock.patch.object(transport._client._carrier, "publish", return_value=None)


class Memory(_Ours):
    """`memory://`, in this event loop.

    Args:
        namespaces: The ones served; none named means any.
        mortal: Whether the test kills it.
        limits: See `MemorySynapse`.
    """

    def __init__(self, namespaces=(), mortal=False, **limits):
        self._synapse = MemorySynapse("conformance", namespaces, **limits)

    @property
    def _engine(self):
        return self._synapse.hub.engine

    def synapse(self):
        """Return where to connect."""
        return self._synapse

    async def kill(self):
        """Let the Synapse forget everything; who is connected finds out before this returns."""
        self._synapse.hub.restart()

    @staticmethod
    def small_queues():
        """Let few messages wait at the Dendrites that start in a `with` block: none do here."""
        return contextlib.nullcontext()

    @contextlib.contextmanager
    def deaf(self, transport):
        """Let a transport read nothing on the directed plane, inside a `with` block."""
        hub, deaf = self._synapse.hub, transport._client._carrier
        deliver, held = hub._deliver, []

        def hold(carrier, *message):
            if carrier is deaf:
                held.append(message)
            else:
                deliver(carrier, *message)

        with mock.patch.object(hub, "_deliver", hold):
            yield
        for message in held:
            deliver(deaf, *message)

    async def revive(self):
        """Start it again: it is there already, and takes everyone in on the next turns."""

    def stop(self):
        """End it."""


class Cosmo(_Ours):
    """`cosmo://`, the Synapse in a thread of this process.

    Args:
        namespaces: The ones served; none named means any.
        mortal: Whether the test kills it; then its ports are ones that it can come back to.
        limits: See `SynapseServer`.
    """

    def __init__(self, namespaces=(), mortal=False, **limits):
        port = free_ports() if mortal else 0
        self._server = SynapseServer(port=port, namespaces=namespaces, **limits).start()
        self._url = self._server.url

    @property
    def _engine(self):
        return self._server._process._proxy.engine

    def synapse(self):
        """Return where to connect."""
        return synapse_from_url(self._url)

    async def kill(self):
        """End it without a word to anyone."""
        self.stop()

    @staticmethod
    def small_queues():
        """Let few messages wait at the Dendrites that start in a `with` block."""
        bounds = options.Bounds(high_water=5)
        socket = functools.partial(options._socket, bounds=bounds)
        return mock.patch.object(options, "_socket", socket)

    @contextlib.contextmanager
    def deaf(self, transport):
        """Let a transport read nothing on the directed plane, inside a `with` block."""
        pump = transport._client._carrier._reader
        with mock.patch.object(pump, "_read", return_value=None):
            yield
        pump.poll_soon()

    async def revive(self):
        """Start it on its old ports."""
        self._server.start()

    def stop(self):
        """End it; there is no farewell, nobody in this thread could answer it meanwhile."""
        with mock.patch("zmq_transport.proxy.proxy._DRAIN_S", 0.0):
            if self._server._process is not None:
                self._engine.go_away = list
            self._server.stop()


class Ipc(Cosmo):
    """`cosmo+ipc://`, the same by a Unix socket in a folder of its own.

    Args:
        namespaces: The ones served; none named means any.
        mortal: Whether the test kills it; it comes back to its path, on other ports.
        limits: See `SynapseServer`.
    """

    def __init__(self, namespaces=(), mortal=False, **limits):
        self._folder = tempfile.mkdtemp(prefix="cosmo-")
        path = f"{self._folder}/sock"
        self._server = SynapseServer(port=0, ipc=path, namespaces=namespaces, **limits).start()
        self._url = self._server.ipc_url

    async def revive(self):
        """Start it at its old path."""
        os.makedirs(self._folder)
        await super().revive()

    def stop(self):
        """End it; its folder can only be removed when nothing of it is left there."""
        super().stop()
        if os.path.exists(self._folder):
            os.rmdir(self._folder)


TRANSPORTS = {"memory": Memory, "cosmo": Cosmo, "ipc": Ipc}
