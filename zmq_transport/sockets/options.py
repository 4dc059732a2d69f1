"""Sockets and their options; the only place that sets any. Spec: docs/spec/06-sockets.md.

Every option is set before bind or connect, because most have no effect afterwards. A high-water
mark counts messages, in each direction and for each peer.
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
import threading
from collections.abc import Mapping
from itertools import count
from types import MappingProxyType
from typing import Any

import attrs
import zmq

from ..access import zap
from ..access.curve_keys import KeyPair
from ..errors import EndpointInUse
from ..wire import heads
from ..wire.topics import MAX_TOPIC_BYTES
from .endpoints import host_in_url

HIGH_WATER = 10_000
BACKLOG = 4096
HANDSHAKE_MS = 3000
HEARTBEAT_MS = 1000
HEARTBEAT_TIMEOUT_MS = 3000
RECONNECT_MS = (50, 100)
CONNECT_MS = 1200
_NEVER_MS = 3_600_000
SUBSCRIPTION_BYTES = MAX_TOPIC_BYTES + 64
"""A frame with a topic: ZMTP 3.1 adds 10 bytes to it, and CURVE 33."""
KEEPALIVE_S = 60
KEEPALIVE_AGAIN_S = 10
KEEPALIVE_TIMES = 3
_UNBIND_MS = 1000
_REPORTS = 8
MAX_SOCKETS = 32_768
ONLY_THIS_USER = 0o600
ENVELOPE_BYTES = 64 * 1024
EVENTS: Mapping[int, str] = MappingProxyType(
    {
        int(zmq.EVENT_ACCEPTED): "connection.accepted",
        int(zmq.EVENT_HANDSHAKE_SUCCEEDED): "connection.greeted",
        int(zmq.EVENT_DISCONNECTED): "connection.closed",
        int(zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL): "drop.handshake",
        int(zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL): "drop.handshake",
        int(zmq.EVENT_HANDSHAKE_FAILED_AUTH): "drop.handshake.auth",
    }
)
"""The events that are watched on the sockets of a proxy, and the counter of each."""
_numbers = count()
dice = random.SystemRandom()
"""For jitter: a program that seeds `random` alike in every process must not bring them in step."""

_lock = threading.Lock()
_context: zmq.Context[zmq.Socket[bytes]] | None = None
_context_pid = -1


def context() -> zmq.Context[zmq.Socket[bytes]]:
    """Return the one context of this process; a forked child gets its own."""
    global _context, _context_pid
    with _lock:
        if _context is None or _context_pid != os.getpid() or _context.closed:
            _context = zmq.Context()
            _context.set(zmq.MAX_SOCKETS, MAX_SOCKETS)
            _context_pid = os.getpid()
        return _context


@attrs.frozen
class Bounds:
    """The limits of one socket.

    Args:
        high_water: Messages that wait, in each direction and for each peer.
        handshake_ms: Milliseconds that a new connection has for the ZMTP handshake.
    """

    high_water: int = HIGH_WATER
    handshake_ms: int = HANDSHAKE_MS


_DEFAULT = Bounds()


def own_context() -> zmq.Context[zmq.Socket[bytes]]:
    """Return a context for one proxy with keys: a context has one list of who may come in."""
    made: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    made.set(zmq.MAX_SOCKETS, MAX_SOCKETS)
    return made


def _socket(
    kind: int,
    max_message_bytes: int,
    bounds: Bounds = _DEFAULT,
    own: zmq.Context[zmq.Socket[bytes]] | None = None,
    **options: Any,
) -> zmq.Socket[bytes]:
    socket = (own or context()).socket(kind)
    common = {
        zmq.LINGER: 0,
        zmq.SNDHWM: bounds.high_water,
        zmq.RCVHWM: bounds.high_water,
        zmq.MAXMSGSIZE: max_message_bytes,
        zmq.HANDSHAKE_IVL: bounds.handshake_ms,
        zmq.HEARTBEAT_IVL: HEARTBEAT_MS,
        zmq.HEARTBEAT_TIMEOUT: HEARTBEAT_TIMEOUT_MS,
        zmq.TCP_KEEPALIVE: 1,
        zmq.TCP_KEEPALIVE_IDLE: KEEPALIVE_S,
        zmq.TCP_KEEPALIVE_INTVL: KEEPALIVE_AGAIN_S,
        zmq.TCP_KEEPALIVE_CNT: KEEPALIVE_TIMES,
    }
    for option, value in common.items():
        socket.set(option, value)
    for name, value in options.items():
        socket.set(getattr(zmq, name), value)
    return socket


def router(
    max_body_bytes: int,
    bounds: Bounds = _DEFAULT,
    own: zmq.Context[zmq.Socket[bytes]] | None = None,
) -> zmq.Socket[bytes]:
    """Return the proxy's directed socket: it assigns connection ids and drops nothing silently.

    Args:
        max_body_bytes: Size limit of a body.
        bounds: The other limits.
        own: The context of a proxy with keys, and so for `xpub` and `xsub`: the socket lets in
            nobody without asking, see `zap_handler`.
    """
    limit = max_body_bytes + ENVELOPE_BYTES
    made = _socket(zmq.ROUTER, limit, bounds, own, ROUTER_MANDATORY=1, BACKLOG=BACKLOG)
    return _asking(made) if own else made


def xpub(
    bounds: Bounds = _DEFAULT, own: zmq.Context[zmq.Socket[bytes]] | None = None
) -> zmq.Socket[bytes]:
    """Return the proxy's outgoing broadcast socket; only subscriptions arrive there."""
    made = _socket(zmq.XPUB, SUBSCRIPTION_BYTES, bounds, own, XPUB_MANUAL=1, BACKLOG=BACKLOG)
    return _asking(made) if own else made


def xsub(
    max_body_bytes: int,
    bounds: Bounds = _DEFAULT,
    own: zmq.Context[zmq.Socket[bytes]] | None = None,
) -> zmq.Socket[bytes]:
    """Return the proxy's incoming broadcast socket, asking publishers for the sentinel."""
    socket = _socket(zmq.XSUB, max_body_bytes + ENVELOPE_BYTES, bounds, own, BACKLOG=BACKLOG)
    socket.send(b"\x01" + heads.LIVE_TOPIC)
    return _asking(socket) if own else socket


def _asking(socket: zmq.Socket[bytes]) -> zmq.Socket[bytes]:
    # The only place that sets these. Without a domain libzmq would ask nobody and let in everybody,
    # and without enforcing it would let in everybody whenever nobody answers.
    socket.set(zmq.ZAP_DOMAIN, zap.DOMAIN)
    socket.set(zmq.ZAP_ENFORCE_DOMAIN, 1)
    return socket


def require_keys(socket: zmq.Socket[bytes], secret: bytes) -> None:
    """Let in only who has a key, wherever a socket of a proxy with keys is bound from now on.

    Args:
        socket: A socket with a context of its own.
        secret: The secret key of the proxy, 32 bytes.
    """
    socket.set(zmq.CURVE_SERVER, 1)
    socket.set(zmq.CURVE_SECRETKEY, secret)


def zap_handler(own: zmq.Context[zmq.Socket[bytes]]) -> zmq.Socket[bytes]:
    """Return the socket at which libzmq asks who may come in; close it last."""
    socket = own.socket(zmq.ROUTER)
    socket.set(zmq.LINGER, 0)
    socket.bind("inproc://zeromq.zap.01")
    return socket


def dealer(max_body_bytes: int) -> zmq.Socket[bytes]:
    """Return a client's directed socket: it sends only while connected and probes each time.

    It does not reconnect by itself in the life of a connection; `dial` starts every attempt.
    """
    return _socket(
        zmq.DEALER,
        max_body_bytes + ENVELOPE_BYTES,
        IMMEDIATE=1,
        PROBE_ROUTER=1,
        RECONNECT_IVL=_NEVER_MS,
    )


def reporter() -> zmq.Socket[bytes]:
    """Return a proxy's socket to another proxy: it sends only while connected, one report ahead.

    It does not reconnect by itself in the life of a connection; `dial` starts every attempt.
    """
    bounds = Bounds(_REPORTS, HANDSHAKE_MS)
    return _socket(zmq.DEALER, ENVELOPE_BYTES, bounds, IMMEDIATE=1, RECONNECT_IVL=_NEVER_MS)


def sub(max_body_bytes: int) -> zmq.Socket[bytes]:
    """Return a client's incoming broadcast socket."""
    return _socket(
        zmq.SUB,
        max_body_bytes + ENVELOPE_BYTES,
        RECONNECT_IVL=_reconnect_ms(),
        CONNECT_TIMEOUT=CONNECT_MS,
    )


def publisher() -> zmq.Socket[bytes]:
    """Return a client's outgoing broadcast socket, where subscriptions arrive."""
    return _socket(
        zmq.XPUB,
        SUBSCRIPTION_BYTES,
        XPUB_VERBOSE=1,
        RECONNECT_IVL=_reconnect_ms(),
        CONNECT_TIMEOUT=CONNECT_MS,
    )


def _reconnect_ms() -> int:
    # Drawn here: what libzmq adds to it is the same in every process.
    return dice.randint(*RECONNECT_MS)


def dial(socket: zmq.Socket[bytes], endpoint: str, connect_s: float, handshake_s: float) -> None:
    """Connect a client's socket to the address of a proxy, with limits for this attempt."""
    socket.set(zmq.CONNECT_TIMEOUT, max(1, round(connect_s * 1000)))
    socket.set(zmq.HANDSHAKE_IVL, max(1, round(handshake_s * 1000)))
    connect(socket, endpoint)


def show_key(socket: zmq.Socket[bytes], pair: KeyPair, proxy: bytes) -> None:
    """Speak CURVE over every later connection of a client's socket.

    Args:
        socket: The socket.
        pair: The keys of the client.
        proxy: The public key that the far end must have, 32 bytes.
    """
    socket.set(zmq.CURVE_PUBLICKEY, pair.public)
    socket.set(zmq.CURVE_SECRETKEY, pair.secret)
    socket.set(zmq.CURVE_SERVERKEY, proxy)


def connect(socket: zmq.Socket[bytes], endpoint: str) -> None:
    """Connect a client's socket to an address, of IPv4, of IPv6 or of a Unix socket."""
    _set_family(socket, endpoint)
    socket.connect(endpoint)


def disconnect(socket: zmq.Socket[bytes], endpoint: str) -> None:
    """End the connection of a client's socket to an address, if there is one."""
    with contextlib.suppress(zmq.ZMQError):  # ZeroMQ itself has given it up
        socket.disconnect(endpoint)


def _set_family(socket: zmq.Socket[bytes], endpoint: str) -> None:
    # Not always on: a socket for IPv6 writes 127.0.0.1 as ::ffff:127.0.0.1, also in metadata.
    socket.set(zmq.IPV6, int("[" in endpoint))


def watched(
    socket: zmq.Socket[bytes], events: int = sum(EVENTS) | int(zmq.EVENT_CLOSED)
) -> zmq.Socket[bytes]:
    """Return a socket with one message for each event of a connection.

    Args:
        socket: The socket to watch.
        events: The events; by default a connection that came, left or failed to greet.

    It has no high-water mark: the thread that moves all bytes writes to it, and would wait.
    """
    endpoint = f"inproc://watched-{next(_numbers)}"
    socket.monitor(endpoint, events)
    monitor: zmq.Socket[bytes] = socket.context.socket(zmq.PAIR)
    monitor.set(zmq.LINGER, 0)
    monitor.set(zmq.RCVHWM, 0)
    monitor.connect(endpoint)
    return monitor


def bind(socket: zmq.Socket[bytes], host: str, port: int) -> str:
    """Bind to `host:port` and return the endpoint; with port 0 the system chooses one.

    Raises:
        EndpointInUse: Another process listens there, or the address is not of this host.
    """
    endpoint = f"tcp://{host_in_url(host)}:{port or '*'}"
    _set_family(socket, endpoint)
    return _bind(socket, endpoint)


def bind_private(socket: zmq.Socket[bytes], path: str, mode: int = ONLY_THIS_USER) -> str:
    """Bind to a Unix socket whose file has a mode from its start; return its endpoint.

    A file of that name is replaced, see `ipc_lock`. A file that another thread makes meanwhile
    gets no more rights either.

    Args:
        socket: The socket.
        path: Where its file is to be.
        mode: The mode of the file; 0o660 lets in the group, too.

    Raises:
        EndpointInUse: The socket cannot be made.
    """
    before = os.umask(0o777 & ~mode)
    try:
        return _bind(socket, f"ipc://{path}")
    finally:
        os.umask(before)


def port_of(endpoint: str) -> int:
    """Return the port of an endpoint from `bind`."""
    return int(endpoint.rpartition(":")[2])


def _bind(socket: zmq.Socket[bytes], endpoint: str) -> str:
    try:
        socket.bind(endpoint)
    except zmq.ZMQError as error:
        raise EndpointInUse(endpoint, zmq.strerror(error.errno or 0).lower()) from error
    return os.fsdecode(bytes(socket.get(zmq.LAST_ENDPOINT)).rstrip(b"\x00"))


def unbind(socket: zmq.Socket[bytes], monitor: zmq.Socket[bytes], endpoint: str) -> None:
    """Unbind `socket`; return when the endpoint is free, so that others can listen there.

    Closing alone leaves that to a thread of libzmq, which does it some time later.
    """
    socket.unbind(endpoint)
    while monitor.poll(_UNBIND_MS):
        event, _ = monitor.recv_multipart()
        if int.from_bytes(event[:2], sys.byteorder) == zmq.EVENT_CLOSED:
            return
