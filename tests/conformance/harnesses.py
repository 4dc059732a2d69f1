"""The transports of this package, as the shipped suite knows them: one `Harness` for each."""

import contextlib
import functools
import itertools
import os
import tempfile
import threading
from unittest import mock

import zmq

from cosmonapse.keys import Key
from cosmonapse.rights import Rights
from cosmonapse.synapse.access import grant_of, new_pair
from cosmonapse.synapse.adapter import ClientTransport
from cosmonapse.synapse.limits import settings_of
from cosmonapse.synapse.lost_notice import lost_notice
from cosmonapse.synapse.memory import MemoryCarrier, MemoryHub, MemorySynapse
from cosmonapse.synapse.url import parse_url
from cosmonapse.synapse.zmq import ZmqSynapse
from cosmonapse.testing.conformance import Harness
from support.keyed_office import keyed_office
from support.processes import free_ports
from zmq_transport import Access, IpcEndpoint, KeyPair, Ports, Proxy, ProxyKeys, ZmqCarrier
from zmq_transport.client import socket_writer
from zmq_transport.client.socket_reader import SocketReader
from zmq_transport.client.zmtp_line import ZmtpLine
from zmq_transport.sockets import options
from zmq_transport.sockets.carriers import LIBZMQ, ZMTP

HOST = "127.0.0.1"
MAX_ARRIVING_BYTES = 2**31 - 2**17
FEW = 5


class Lossy:
    """A carrier that may lose its broadcasts."""

    losing = False

    def publish(self, topic, header, body):
        if not self.losing:
            super().publish(topic, header, body)


class TestedTransport(ClientTransport):
    """A connection that can end as the death of its process ends it."""

    def crash(self):
        self._client.abort()


class Tested:
    """A Synapse whose connections can be disturbed; `new_carrier` makes what moves the frames."""

    transport_type = TestedTransport

    def carrier(self, namespace, max_signal_bytes):
        self._carrier = self.new_carrier()
        return self._carrier

    def transport(self, *arguments):
        made = super().transport(*arguments)
        made.carrier = self._carrier
        return made


class OurHarness(Harness):
    """The common part: the same engine and the same client are inside of all of them."""

    @property
    def engine(self):
        """The engine of the Synapse."""
        raise NotImplementedError

    @property
    def counts(self):
        return dict(+self.engine.counts)

    def crash(self, transport):
        transport.crash()

    def fall_silent(self):
        self.engine.on_message = lambda *_: []
        self.engine.subscriptions.subscribe = lambda *_: "ignore"

    def expire_after(self, silence_s):
        self.engine.tables.liveness.expiry_s = silence_s

    @contextlib.contextmanager
    def losing_broadcasts(self, transport):
        transport.carrier.losing = True
        yield
        transport.carrier.losing = False


# -- memory:// ------------------------------------------------------------------------------------


class LossyMemoryCarrier(Lossy, MemoryCarrier):
    pass


class HoldingHub(MemoryHub):
    """A hub that can hold the directed messages to one carrier; they count as on their way."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.held = {}

    def _deliver(self, carrier, *message):
        if carrier in self.held:
            self.held[carrier].append(message)
        else:
            super()._deliver(carrier, *message)

    @contextlib.contextmanager
    def holding(self, carrier):
        self.held[carrier] = []
        yield
        for message in self.held.pop(carrier):
            self._deliver(carrier, *message)


class TestedMemorySynapse(Tested, MemorySynapse):
    def _new_hub(self):
        return HoldingHub(self.url, self._settings, self._shared.access)

    def new_carrier(self):
        return LossyMemoryCarrier(self)


class Memory(OurHarness):
    """`memory://`, in this event loop."""

    def __init__(self, namespaces=(), *, mortal=False, **limits):
        self._synapse = TestedMemorySynapse("conformance", namespaces, **limits)

    @property
    def engine(self):
        return self._synapse.hub.engine

    def synapse(self):
        return self._synapse

    @contextlib.contextmanager
    def with_users(self, rights):
        yield MemorySynapse("users", rights=rights)

    async def kill(self):
        """Let the Synapse forget everything; it is there again on the next turns of the loop."""
        self._synapse.hub.restart()

    async def revive(self):
        pass

    def stop(self):
        pass

    def small_queues(self):
        """Nothing waits at a Dendrite in this process: what waits is bounded by `high_water`."""
        return contextlib.nullcontext()

    def not_reading(self, transport):
        return self._synapse.hub.holding(transport.carrier)


# -- cosmo:// and cosmo+ipc:// --------------------------------------------------------------------


class LossyZmqCarrier(Lossy, ZmqCarrier):
    """A carrier that can leave its directed socket unread."""

    @contextlib.contextmanager
    def not_reading(self, is_over):
        """Read nothing; what came over a connection that is over by then is lost."""
        line = self._line
        if isinstance(line, ZmtpLine):
            connection = line._connection
            connection._loop.remove_reader(connection._fd)
            yield
            if is_over():
                connection._end()
            else:
                connection._loop.add_reader(connection._fd, connection._on_readable)
            return
        line._reader.close()
        yield
        line._reader = SocketReader(line._socket, line._on_message, line._events.on_writable)
        line._reader.wants_writable = True


class TestedZmqSynapse(Tested, ZmqSynapse):
    def new_carrier(self):
        return LossyZmqCarrier(self._target, MAX_ARRIVING_BYTES, self._carrier_name, self._keys)


class Killed(Exception):
    """Ends the thread of a Synapse in the middle of its work."""


def die(*_):
    raise Killed


def run_until_killed(proxy):
    with proxy, contextlib.suppress(Killed):
        proxy.run()


def small_dealer(dealer, max_body_bytes):
    socket = dealer(max_body_bytes)
    for mark in (zmq.SNDHWM, zmq.RCVHWM):
        socket.set(mark, FEW)
    return socket


class Cosmo(OurHarness):
    """`cosmo://`, the Synapse in a thread of this process; our own ZMTP at both ends."""

    ipc = None
    carrier = proxy_carrier = ZMTP
    proxy_keys = None

    def __init__(self, namespaces=(), *, mortal=False, **limits):
        port = free_ports() if mortal else 0
        self._ports = Ports(port, port + 2, port + 3) if mortal else Ports()
        self._settings = settings_of(namespaces, limits)
        self._start()

    def _start(self):
        self._proxy = Proxy(
            HOST,
            self._ports,
            self._settings,
            ipc=self.ipc,
            carrier=self.proxy_carrier,
            lost_notice=lost_notice,
            keys=self.proxy_keys,
        )
        self._thread = threading.Thread(target=run_until_killed, args=(self._proxy,), daemon=True)
        self._thread.start()

    @property
    def url(self):
        return f"cosmo://{HOST}:{self._proxy.ports.directed}"

    @property
    def engine(self):
        return self._proxy.engine

    def synapse(self):
        return TestedZmqSynapse(parse_url(self.url), self.carrier, self.next_key())

    def next_key(self):
        """Return the key for the next connection; None without keys."""
        return None

    def with_users(self, rights):
        return keyed_office(rights)

    async def kill(self):
        self.stop()

    async def revive(self):
        self._start()

    def stop(self):
        """End it without a farewell, at its next tick."""
        self.engine.tick = die
        self._thread.join()

    @contextlib.contextmanager
    def small_queues(self):
        dealer = functools.partial(small_dealer, options.dealer)
        with (
            mock.patch.object(options, "dealer", dealer),
            mock.patch.object(socket_writer, "HIGH_WATER", FEW),
        ):
            yield

    def not_reading(self, transport):
        proxy = self._proxy
        return transport.carrier.not_reading(lambda: proxy is not self._proxy)


class Ipc(Cosmo):
    """`cosmo+ipc://`, the same by a Unix socket in a folder of its own."""

    with_users = Harness.with_users  # users have keys, and with keys it is as for `Cosmo`

    def __init__(self, namespaces=(), *, mortal=False, **limits):
        self._folder = tempfile.mkdtemp(prefix="cosmo-")
        self.ipc = IpcEndpoint(f"{self._folder}/sock")
        super().__init__(namespaces, **limits)

    @property
    def url(self):
        return f"cosmo+ipc://{self.ipc.path}"

    async def revive(self):
        os.makedirs(self._folder)
        await super().revive()

    def stop(self):
        """End it; its folder can only be removed when nothing of it is left there."""
        super().stop()
        if os.path.exists(self._folder):
            os.rmdir(self._folder)


class CosmoLibzmq(Cosmo):
    """`cosmo://` with libzmq at both ends."""

    with_users = Harness.with_users  # users have keys, and with keys it is as for `Cosmo`

    carrier = proxy_carrier = LIBZMQ


class IpcLibzmq(Ipc):
    """`cosmo+ipc://` with libzmq at both ends."""

    carrier = proxy_carrier = LIBZMQ


class CosmoLibzmqDendrites(Cosmo):
    """`cosmo://` with libzmq at every client and our own ZMTP at the Synapse."""

    with_users = Harness.with_users  # users have keys, and with keys it is as for `Cosmo`

    carrier = LIBZMQ


class CosmoLibzmqSynapse(Cosmo):
    """`cosmo://` with libzmq at the Synapse and our own ZMTP at every client."""

    with_users = Harness.with_users  # users have keys, and with keys it is as for `Cosmo`

    proxy_carrier = LIBZMQ


class Keyed:
    """Every connection shows one of two keys, in turn; each may do everything."""

    carrier = proxy_carrier = LIBZMQ
    with_users = Harness.with_users  # `Cosmo` has it already

    def __init__(self, *arguments, **options):
        public, secret = new_pair()
        keys = [Key(name, *new_pair(), (public,), None) for name in ("ada", "ben")]
        self._keys = itertools.cycle(keys)
        grant = grant_of(Rights.of(["admin"]))
        access = Access(
            {each.public: each.name for each in keys}, {each.name: grant for each in keys}
        )
        self.proxy_keys = ProxyKeys(KeyPair(public, secret), access)
        super().__init__(*arguments, **options)

    def next_key(self):
        return next(self._keys)


class KeyedCosmo(Keyed, Cosmo):
    """`cosmo://` with keys: CURVE, by libzmq at both ends."""
