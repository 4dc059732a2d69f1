"""The Synapse as a process: `zmq_transport`'s proxy, with Signals where it has bytes."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self, Unpack

import zmq_transport as wire_side

from ..errors import DendriteProtocolError, PortInUse
from ..key_ring import KeyRing
from ..registry import SynapseState
from ..telemetry.liveness import Judgement, LoopPulse
from .access import proxy_keys_of
from .announcement import Announcement, check_lan
from .carriers import chosen_carrier
from .key_watch import KeyWatch
from .limits import Limits, settings_of
from .lost_notice import lost_notice
from .peers import OnNotice, check_peer_keys, log_notice, notice_of, peer_endpoints
from .secure_bind import check_bind, check_ipc_mode
from .sightings import MessageTap
from .sightings import Sighting as Sighting
from .synapse_figures import synapse_state
from .url import DEFAULT_HOST, DEFAULT_PORT, Endpoint, IpcEndpoint

_LOG = logging.getLogger(__name__)
_LOOKS = 10
_OTHER_PATH = "choose another path (--ipc), in a directory that exists and is yours to write to"


def ipc_endpoint(path: str | os.PathLike[str]) -> IpcEndpoint:
    """Return where to listen at a path; a relative one begins at the working directory.

    Raises:
        InvalidUrl: It is not a valid path of a Unix socket.
    """
    named = os.fspath(path)
    return IpcEndpoint(os.path.join(os.getcwd(), named) if named else "")


def _in_use(error: wire_side.EndpointInUse) -> PortInUse:
    scheme, _, where = error.endpoint.partition("://")
    return (
        PortInUse(where, error.reason, _OTHER_PATH)
        if scheme == "ipc"
        else PortInUse(where, error.reason)
    )


class SynapseProcess:
    """A Synapse that runs in the thread which calls `run`.

    Args:
        host: Address to bind to.
        port: Port of the directed plane; the broadcast planes take the ports two and three above
            it. 0 lets the system choose all three.
        namespaces: The namespaces that are served; empty for any.
        on_signal: Is called with every Signal; must not block.
        ipc: Path of a Unix socket to listen at as well, for this user on this machine.
        carrier: What carries the directed plane: `zmtp` or `libzmq`. By default `COSMO_CARRIER`
            tells, or else this version. A Dendrite with either joins. With keys it is `libzmq`.
        keys: The folder that says who may join; see `docs/keys.md`. Without it everybody may. It is
            read again when it changes.
        insecure: True to listen beyond loopback without keys: on a network that is trusted.
        ipc_mode: Mode of the files of `ipc`: 0o600, or with keys 0o660, which lets in the group.
        lan: True to announce it on the LAN, where `cosmo://auto` finds it; needs the extra [lan].
        peers: The URLs of the other Synapses of the same fabric, 15 at most: it stands by for them,
            and they for it.
        on_role: Is told what changes among them, in the thread of `run`; must not block. By default
            it is logged.
        limits: See `Limits`.

    Attributes:
        pulse: Whether its loop turns, and how late it is.

    Raises:
        PortInUse: It cannot listen there.
        InvalidUrl: `ipc` is not a valid path of a Unix socket, or one of `peers` is not the URL of
            another Synapse.
        InvalidName: A namespace is not a valid name.
        InvalidCarrier: There is no such carrier.
        InvalidKey: The folder of the keys is not there or not whole, or others may change it.
        InsecureBind: Other machines could reach it, and there are no keys.
        MissingExtra: `lan` needs a package that is not installed.
        ValueError: A limit is out of range, or `insecure`, `ipc_mode` or `lan` does not go with the
            rest.
    """

    def __init__(
        self,
        host: str = DEFAULT_HOST,
        port: int = DEFAULT_PORT,
        namespaces: Iterable[str] = (),
        on_signal: Callable[[Sighting], None] | None = None,
        *,
        ipc: str | os.PathLike[str] | None = None,
        carrier: str | None = None,
        keys: str | os.PathLike[str] | None = None,
        insecure: bool = False,
        ipc_mode: int = 0o600,
        lan: bool = False,
        peers: Iterable[str] = (),
        on_role: OnNotice = log_notice,
        **limits: Unpack[Limits],
    ) -> None:
        settings = settings_of(namespaces, limits)
        others = peer_endpoints(peers, host, port)
        check_bind(host, has_keys=keys is not None, insecure=insecure)
        check_ipc_mode(ipc_mode, has_keys=keys is not None)
        check_lan(host, lan=lan)
        self._watch = None if keys is None else KeyWatch(keys, self._use_access)
        if others and self._watch is not None:
            check_peer_keys(self._watch.ring)
        ports = wire_side.Ports(port, port + 2, port + 3) if port else wire_side.Ports()
        tap = None if on_signal is None else MessageTap(on_signal)
        local = None if ipc is None else ipc_endpoint(ipc)
        try:
            self._proxy = wire_side.Proxy(
                host,
                ports,
                settings,
                ipc=None if local is None else wire_side.IpcEndpoint(local.path),
                carrier=chosen_carrier(carrier),
                keys=None if self._watch is None else proxy_keys_of(self._watch.ring),
                ipc_mode=ipc_mode,
                lost_notice=lost_notice,
                tap=tap,
                peers=others,
                on_news=lambda news: on_role(notice_of(news)),
            )
        except wire_side.EndpointInUse as error:
            raise _in_use(error) from error
        self.pulse = LoopPulse()
        self._proxy.on_tick = self.pulse.beat
        self.url = Endpoint(host, self._proxy.ports.directed).url
        self.ipc_url = None if local is None else local.url
        self.peers = tuple(Endpoint(each.host, each.port).url for each in others)
        self._announcement = (
            Announcement(
                host,
                self._proxy.ports.directed,
                namespaces,
                self._watch,
                lambda: self._proxy.fabric_ids,
            )
            if lan
            else None
        )

    @property
    def announced_as(self) -> str | None:
        """The name under which it is announced on the LAN; None if it is not."""
        return None if self._announcement is None else self._announcement.instance

    def state(self) -> SynapseState:
        """Return its load, its role and its counters; safe from another thread."""
        for _ in range(_LOOKS):
            with contextlib.suppress(RuntimeError):  # a table grew in its own thread meanwhile
                return synapse_state(self._proxy.state(), self.url)
        return synapse_state(self._proxy.state(), self.url)

    def judge(self) -> Judgement:
        """Return whether its loop turns; safe from every thread."""
        return self.pulse.judge()

    @property
    def waiting_bytes(self) -> int | None:
        """How many bytes wait for all Dendrites; None with `libzmq`, which does not tell."""
        return self._proxy.waiting_bytes

    @property
    def carrier(self) -> str:
        """What carries the directed plane: `zmtp` or `libzmq`."""
        return self._proxy.carrier

    def run(self) -> None:
        """Route until asked to stop; then drain for at most 1 s, and close."""
        nothing = contextlib.nullcontext()
        with self._proxy, self._watch or nothing, self._announcement or nothing:
            self._proxy.run()

    def ask_to_stop(self) -> None:
        """Make `run` return; safe from a signal handler and from another thread."""
        if self._announcement is not None:
            self._announcement.ask_to_stop()
        self._proxy.ask_to_stop()

    @property
    def keys(self) -> KeyRing | None:
        """Who may join, as it is in force; None without keys."""
        return None if self._watch is None else self._watch.ring

    def reload_keys(self) -> None:
        """Read the folder of the keys again, now.

        Raises:
            DendriteProtocolError: It has no keys.
            InvalidKey: A file is broken: what it said before stays in force.
        """
        if self._watch is None:
            raise DendriteProtocolError("this Synapse has no keys: start it with keys=DIR")
        self._watch.reload()

    def ask_to_reload_keys(self) -> None:
        """Read the folder of the keys again soon, if there are keys; safe from a signal handler."""
        if self._watch is not None:
            self._watch.ask()

    def _use_access(self, access: wire_side.Access) -> None:
        self._proxy.use_access(access)

    @property
    def counts(self) -> dict[str, int]:
        """Every drop, bounce, copy and refusal so far, by name."""
        counts = dict(self._proxy.engine.counts)  # a copy: the Synapse's thread goes on counting
        return {name: count for name, count in counts.items() if count}


class SynapseServer:
    """A Synapse in a thread of this process, for services with a fabric of their own.

    Args:
        host: Address to bind to.
        port: Port of the directed plane; the broadcast planes take the ports two and three above
            it. 0 lets the system choose all three.
        namespaces: The namespaces that are served; empty for any.
        on_signal: Is called with every Signal, in the Synapse's thread; must not block.
        ipc: Path of a Unix socket to listen at as well, for this user on this machine.
        carrier: What carries the directed plane: `zmtp` or `libzmq`. By default `COSMO_CARRIER`
            tells, or else this version. A Dendrite with either joins. With keys it is `libzmq`.
        keys: The folder that says who may join; see `docs/keys.md`. Without it everybody may. It is
            read again when it changes.
        insecure: True to listen beyond loopback without keys: on a network that is trusted.
        ipc_mode: Mode of the files of `ipc`: 0o600, or with keys 0o660, which lets in the group.
        lan: True to announce it on the LAN, where `cosmo://auto` finds it; needs the extra [lan].
        peers: The URLs of the other Synapses of the same fabric, 15 at most: it stands by for them,
            and they for it.
        limits: See `Limits`.

    Raises:
        InvalidUrl: `ipc` is not a valid path of a Unix socket, or one of `peers` is not the URL of
            another Synapse.
        InvalidName: A namespace is not a valid name.
        InvalidKey: The folder of the keys is not there or not whole, or others may change it.
        InsecureBind: Other machines could reach it, and there are no keys.
        MissingExtra: `lan` needs a package that is not installed.
        ValueError: A limit is out of range, or `insecure`, `ipc_mode` or `lan` does not go with the
            rest.
    """

    def __init__(
        self,
        host: str = DEFAULT_HOST,
        port: int = DEFAULT_PORT,
        namespaces: Iterable[str] = (),
        on_signal: Callable[[Sighting], None] | None = None,
        *,
        ipc: str | os.PathLike[str] | None = None,
        carrier: str | None = None,
        keys: str | os.PathLike[str] | None = None,
        insecure: bool = False,
        ipc_mode: int = 0o600,
        lan: bool = False,
        peers: Iterable[str] = (),
        **limits: Unpack[Limits],
    ) -> None:
        self._host, self._port = host, port
        self._peers = tuple(peers)
        peer_endpoints(self._peers, host, port)
        self._namespaces = tuple(namespaces)
        self._ipc = None if ipc is None else ipc_endpoint(ipc).path
        self._limits = limits
        self._carrier = chosen_carrier(carrier)
        self._keys = None if keys is None else os.path.abspath(keys)
        self._insecure, self._ipc_mode, self._lan = insecure, ipc_mode, lan
        settings_of(self._namespaces, limits)  # wrong values show here, not at `start`
        check_bind(host, has_keys=keys is not None, insecure=insecure)
        check_ipc_mode(ipc_mode, has_keys=keys is not None)
        check_lan(host, lan=lan)
        if self._keys is not None:
            ring = KeyRing.read(self._keys)
            if self._peers:
                check_peer_keys(ring)
        self._on_signal = on_signal
        self._process: SynapseProcess | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it listens.

        Raises:
            DendriteProtocolError: It is not running.
        """
        return self._running().url

    @property
    def ipc_url(self) -> str | None:
        """Where it listens on this machine, or None without `ipc`.

        Raises:
            DendriteProtocolError: It is not running.
        """
        return self._running().ipc_url

    @property
    def counts(self) -> dict[str, int]:
        """Every drop, bounce, copy and refusal since it was started, by name.

        Raises:
            DendriteProtocolError: It is not running.
        """
        return self._running().counts

    def reload_keys(self) -> None:
        """Read the folder of the keys again, now; by itself that is done within a second.

        Raises:
            DendriteProtocolError: It is not running, or has no keys.
            InvalidKey: A file is broken: what it said before stays in force.
        """
        self._running().reload_keys()

    def start(self) -> Self:
        """Listen, and route in a thread.

        Raises:
            PortInUse: It cannot listen there.
            DendriteProtocolError: It is running already.
        """
        if self._process is not None:
            raise DendriteProtocolError("this SynapseServer is running already")
        self._process = SynapseProcess(
            self._host,
            self._port,
            self._namespaces,
            self._on_signal,
            ipc=self._ipc,
            carrier=self._carrier,
            keys=self._keys,
            insecure=self._insecure,
            ipc_mode=self._ipc_mode,
            lan=self._lan,
            peers=self._peers,
            **self._limits,
        )
        self._thread = threading.Thread(target=self._process.run, name="synapse", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Announce the end to every Dendrite, drain for at most 1 s, close. Idempotent."""
        if self._process is not None and self._thread is not None:
            self._process.ask_to_stop()
            self._thread.join()
        self._process = self._thread = None

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def _running(self) -> SynapseProcess:
        if self._process is None or self._thread is None or not self._thread.is_alive():
            raise DendriteProtocolError("this SynapseServer is not running: call start()")
        return self._process
