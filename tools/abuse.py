"""What one peer that means harm costs: `python -m tools.abuse [name ...] [--checkout FOLDER]`.

A Synapse of its own, a caller and a worker beside, and one abuse at a time, bounded in bytes and in
time. Shown are the memory of the Synapse before, at its most and when the peer has left, its CPU
time meanwhile, and the p99 of the caller before and meanwhile. `--checkout` starts the Synapse of
another checkout, to compare; the peer is always that of this one. Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs
import zmq

from cosmonapse import Dendrite, synapse_from_url
from cosmonapse.bench import ends
from cosmonapse.bench.children import BenchError, Child, next_question, rss_kib
from cosmonapse.errors import CosmonapseError
from zmq_transport import Verb, address_of
from zmq_transport.wire import greetings, heads, topics

from .bench.cpu_time import used
from .bench.started import synapse

NAMESPACE = "abuse"
_MIB = 1 << 20
_SAMPLE_S = 0.05
_ALONE_S = 2.0
_ONE_LOAD_S = 1.0
_LEFT_S = 3.0
_QUICK_S = 0.2
_MOST_S = 120.0
_LONGEST_TTL_MS = 2**32 - 1


# -- the peer --------------------------------------------------------------------------------------


class Peer:
    """A client on a DEALER that does not keep to any rule.

    Args:
        port: The directed port.
        options: Any option of a socket.
    """

    def __init__(self, port: int, **options: int) -> None:
        self.secret = os.urandom(16)
        self.instance = heads.instance_of(self.secret)
        self._monitor: Any = None
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.set(zmq.LINGER, 0)
        self.socket.set(zmq.SNDHWM, 64)
        self.socket.set(zmq.RECONNECT_IVL, -1)
        for name, value in options.items():
            self.socket.set(getattr(zmq, name), value)
        self._monitor = self.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self.socket.connect(f"tcp://127.0.0.1:{port}")

    @property
    def was_cut(self) -> bool:
        """Return whether the far end has closed the connection."""
        return bool(self._monitor.poll(0))

    def say(self, verb: Verb, body: bytes = b"", **fields: Any) -> bool:
        """Send a message; False if nothing takes it for 2 s."""
        frames = [heads.pack(verb, len(body), **fields), body]
        if not self.socket.poll(2_000, zmq.POLLOUT):
            return False
        self.socket.send_multipart(frames, copy=False)
        return True

    def join(self) -> greetings.Welcome:
        """Say HELLO, and return the WELCOME."""
        hello = greetings.Hello(self.secret, self.instance, NAMESPACE, "abuse")
        self.say(Verb.HELLO, greetings.pack_hello(hello))
        if not self.socket.poll(10_000):
            raise BenchError("nobody said WELCOME")
        return greetings.unpack_welcome(self.socket.recv_multipart()[1])

    def take_seat(self, name: str, capabilities: Sequence[str] = ()) -> None:
        """Register a name."""
        facts = greetings.pack_map({"capabilities": list(capabilities)})
        items = [
            (int(Verb.REGISTER), 0, kind, 0, heads.NOBODY, heads.NOBODY, size)
            for kind, size in enumerate((len(facts), 0))
        ]
        self.socket.send_multipart([heads.pack_items(items, address=address_of(name)), facts])

    def send_task(self, address: bytes, body: bytes = b"", ttl_ms: int = 60_000) -> bool:
        """Send a TASK."""
        task = os.urandom(16)
        return self.say(Verb.TASK, body, task=task, trace=task, number=ttl_ms, address=address)


def ahead(port: int, mib: int) -> str:
    """Send large messages before HELLO, as fast as they are taken."""
    peer, body, sent = Peer(port), bytes(_MIB), 0
    while sent < mib and not peer.was_cut and peer.say(Verb.TASK, body):
        sent += 1
    return f"{sent} MiB sent" + (", then cut" if peer.was_cut else "")


def unread(port: int, mib: int) -> str:
    """Take a seat, read nothing, and have another send large TASKs to it."""
    deaf = Peer(port, RCVHWM=1, RCVBUF=65_536)
    deaf.join()
    deaf.take_seat("deaf")
    other, body, sent = Peer(port, RCVHWM=100_000), bytes(_MIB), 0
    other.join()
    time.sleep(0.5)
    while sent < mib and not deaf.was_cut and other.send_task(address_of("deaf"), body):
        sent += 1
        time.sleep(0.01)
    return f"{sent} MiB sent to it" + (", then it was cut" if deaf.was_cut else "")


def watcher(port: int, mib: int) -> str:
    """Subscribe, read nothing, and have another publish large Signals."""
    context = zmq.Context.instance()
    deaf = context.socket(zmq.SUB)
    for name, value in ((zmq.RCVHWM, 1), (zmq.RCVBUF, 65_536), (zmq.RECONNECT_IVL, -1)):
        deaf.set(name, value)
    deaf.connect(f"tcp://127.0.0.1:{Peer(port).join().listen_port}")
    for kind in range(64):
        deaf.subscribe(topics.kind_topic(NAMESPACE, kind))

    async def publish() -> int:
        synapse = synapse_from_url(f"cosmo://127.0.0.1:{port}")
        async with Dendrite(synapse=synapse, namespace=NAMESPACE) as dendrite:
            await asyncio.sleep(0.5)
            for sent in range(mib):
                await dendrite.emit_plan(steps=[sent, "x" * _MIB])
                await asyncio.sleep(0.02)
        return mib

    return f"{asyncio.run(publish())} MiB published"


def subscriptions(port: int, mib: int) -> str:
    """Subscribe to 100,000 topics on one connection; can a Dendrite still start?"""
    greedy = zmq.Context.instance().socket(zmq.SUB)
    greedy.set(zmq.SNDHWM, 0)
    greedy.connect(f"tcp://127.0.0.1:{Peer(port).join().listen_port}")
    for number in range(100_000):
        greedy.subscribe(topics.trace_topic(NAMESPACE, number.to_bytes(16, "big")))
    time.sleep(6.0)

    async def start() -> str:
        synapse = synapse_from_url(f"cosmo://127.0.0.1:{port}")
        dendrite = Dendrite(synapse=synapse, namespace=NAMESPACE)

        @dendrite.on_plan
        async def heard(signal: Any) -> None: ...

        try:
            await dendrite.start()
        except CosmonapseError as error:
            return f"no Dendrite can start: {error}"[:80]
        await dendrite.stop()
        return "a Dendrite can start"

    said = asyncio.run(start())
    greedy.close(0)
    return said


def ledger(port: int, mib: int) -> str:
    """Send TASKs with the longest deadline to a seat of its own, and never answer."""
    peer = Peer(port, RCVHWM=1_000_000)
    peer.join()
    peer.take_seat("mine")
    time.sleep(0.3)
    begin_s, count, address = time.monotonic(), 0, address_of("mine")
    while time.monotonic() < begin_s + 6.0 and peer.send_task(address, ttl_ms=_LONGEST_TTL_MS):
        count += 1
    time.sleep(1.0)
    return f"{count:,} TASKs sent"


def registrations(port: int, mib: int) -> str:
    """Register 1,024 names with 250 capabilities each."""
    peer = Peer(port)
    peer.join()
    for number in range(1_024):
        peer.take_seat(f"seat-{number}", [f"capability-{number}-{each}" for each in range(250)])
    time.sleep(3.0)
    return "1,024 names, 250 capabilities each"


def strangers(port: int, mib: int) -> str:
    """Open 1,000 connections to each port that speak HTTP there, and keep them."""
    opened, told = list[socket.socket](), Peer(port).join()
    for each_port in (port, told.listen_port, told.publish_port):
        for _ in range(1_000):
            each = socket.socket()
            each.setblocking(False)
            with suppress(BlockingIOError):
                each.connect(("127.0.0.1", each_port))
            opened.append(each)
        for each in opened[-1_000:]:
            with suppress(OSError):
                each.send(b"GET / HTTP/1.0\r\n\r\n")
    time.sleep(12.0)
    cut = sum(_is_closed(each) for each in opened)
    return f"{cut:,} of {len(opened):,} closed after 12 s"


def _is_closed(connection: socket.socket) -> bool:
    try:
        while connection.recv(4096):
            pass
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def addresses(port: int, mib: int) -> str:
    """Send TASKs to a list of 4 kB of capabilities, 64 at a time, 20 times a second."""
    peer = Peer(port, RCVHWM=1_000_000)
    peer.join()
    address = b"?" + b",".join(b"c%d" % number for number in range(840))
    for _ in range(80):
        for _ in range(64):
            peer.send_task(address)
        time.sleep(0.05)
    return "64 TASKs, 80 times"


ABUSES: MappingProxyType[str, Callable[[int, int], str]] = MappingProxyType(
    {
        each.__name__: each
        for each in (
            *(ahead, unread, watcher, subscriptions),
            *(ledger, registrations, strangers, addresses),
        )
    }
)


def abuser(connection: Connection, name: str, port: int, mib: int) -> None:
    """Do it once, when asked, and keep the connections until the parent wants no more."""
    connection.send(None)
    while next_question(connection) is not None:
        connection.send(ABUSES[name](port, mib))


# -- the Synapse, and what it takes ----------------------------------------------------------------


@attrs.define
class Watched:
    """The memory of a process over time, in MiB."""

    pid: int
    most: float = 0.0
    _is_over: threading.Event = attrs.field(factory=threading.Event)

    @property
    def now(self) -> float:
        """Return what it takes now."""
        return rss_kib(self.pid) / 1024

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Note the most that it takes meanwhile."""

        def look() -> None:
            while not self._is_over.wait(_SAMPLE_S):
                with suppress(OSError):
                    self.most = max(self.most, self.now)

        looking = threading.Thread(target=look, daemon=True)
        looking.start()
        try:
            yield
        finally:
            self._is_over.set()
            looking.join()


def measured(name: str, given: argparse.Namespace) -> tuple[str, ...]:
    """Return the row of one abuse."""
    carrier = ("--carrier", given.carrier) if given.carrier else ()
    with ExitStack() as stack:
        pid, url = stack.enter_context(synapse(*carrier, checkout=given.checkout))
        port = int(url.rpartition(":")[2])
        stack.enter_context(Child(ends.worker, url, NAMESPACE))
        caller = stack.enter_context(Child(ends.caller, url, NAMESPACE))
        watched = Watched(pid)
        alone = caller.ask("load", 1, given.quick or _ALONE_S)
        before = watched.now
        with watched.watching(), Child(abuser, name, port, given.mib) as abusing:
            cpu_s, begin_s = used(pid).all, time.monotonic()
            with ThreadPoolExecutor(1) as pool:
                doing = pool.submit(abusing.ask, "go", timeout_s=_MOST_S)
                p99s = []
                while not doing.done():
                    p99s.append(_p99_ms(caller, given.quick or _ONE_LOAD_S))
                said = doing.result()
            taken = (used(pid).all - cpu_s) / (time.monotonic() - begin_s)
        time.sleep(given.quick or _LEFT_S)
        memory = f"{before:.0f} / {watched.most:.0f} / {watched.now:.0f}"
        meanwhile = f"{alone.p99_s * 1000:.1f} / {max(p99s):.1f} ({statistics.median(p99s):.1f})"
    return name, memory, f"{100 * taken:.0f}", meanwhile, str(said)


def _p99_ms(caller: Child, load_s: float) -> float:
    return float(caller.ask("load", 1, load_s, timeout_s=_MOST_S).p99_s) * 1000


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tools.abuse", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(ABUSES))
    parser.add_argument("--checkout", type=Path, metavar="FOLDER", help="whose Synapse to start")
    parser.add_argument("--carrier", choices=("zmtp", "libzmq"), help="of the Synapse")
    parser.add_argument("--mib", type=int, default=300, metavar="N", help="most MiB to send")
    parser.add_argument(
        "--quick",
        action="store_const",
        const=_QUICK_S,
        help="does it run? the figures say nothing",
    )
    given = parser.parse_args(arguments)
    if unknown := sorted(set(given.names) - set(ABUSES)):
        parser.error(f"no such abuse: {', '.join(unknown)}; there are {', '.join(ABUSES)}")
    head = "abuse | MiB: before / most / left | % of a core | p99 ms: alone / worst (median) | end"
    print(f"| {head} |\n|---|---|---|---|---|", flush=True)
    for name in given.names or ABUSES:
        print("| " + " | ".join(measured(name, given)) + " |", flush=True)


if __name__ == "__main__":
    main()
