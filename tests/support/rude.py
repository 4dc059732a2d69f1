"""Peers that are none of ours, and a Synapse to be rude to."""

import contextlib
import json
import socket
import time
from itertools import count
from pathlib import Path

import zmq

from support.processes import free_ports

LIMITED = Path(__file__).with_name("limited.py")
ELSEWHERE = "127.0.0.2"
"""Another address of this machine, as limits for each host look at the address."""
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\0" + b"NULL".ljust(52, b"\0")
_numbers = count(1)


class LimitedSynapse:
    """A Synapse in a process of its own.

    Args:
        children: The processes that are ended with the test.
        limits: See `limited.py`.
    """

    def __init__(self, children, **limits):
        self.port = free_ports()
        self.listen_port, self.publish_port = self.port + 2, self.port + 3
        self.ports = self.port, self.listen_port, self.publish_port
        self.child = children.start(LIMITED, self.port, json.dumps(limits))
        self.url = self.child.line("listening").text

    @property
    def counts(self):
        """Its counters at this moment."""
        question = f"q{next(_numbers)}"
        self.child.tell(question)
        return json.loads(self.child.line(f"counts {question} ").text)

    def count(self, name):
        """Return one of its counters."""
        return self.counts.get(name, 0)

    @property
    def rss_mib(self):
        """The memory it takes."""
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    @property
    def descriptors(self):
        """How many files and connections it has open."""
        return len(list(Path(f"/proc/{self.child.pid}/fd").iterdir()))


@contextlib.contextmanager
def plain_connections(port, number, data=b""):
    """Open TCP connections, send `data` on each, and keep them open."""
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in opened:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        if data:
            for each in opened:
                each.settimeout(5.0)
                with contextlib.suppress(OSError):  # it may be cut at any moment
                    each.sendall(data)
        yield opened


def closed_by_peer(connection):
    """Return whether the far end has closed a connection."""
    connection.settimeout(0)
    try:
        while connection.recv(4096):
            pass
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def ready(kind):
    """Return a greeting and a READY of ZMTP 3.0, as a socket of that kind writes them."""
    body = b"\x05READY\x0bSocket-Type" + len(kind).to_bytes(4, "big") + kind
    return GREETING + b"\x04" + bytes([len(body)]) + body


@contextlib.contextmanager
def speaking(port, kind, receive_bytes=None):
    """Yield a plain connection that has greeted as a socket of that kind."""
    with socket.socket() as plain:
        if receive_bytes is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        plain.settimeout(10.0)
        plain.connect(("127.0.0.1", port))
        plain.sendall(ready(kind))
        heard = b""
        while b"READY" not in heard:  # what comes before it is no message
            heard += plain.recv(256)
        yield plain


@contextlib.contextmanager
def rude_sockets(kind, port, number=1, source=None, **options):
    """Yield bare ZeroMQ sockets of one kind that connect once."""
    origin = f"{source}:0;" if source else ""
    with zmq.Context() as context, contextlib.ExitStack() as stack:
        context.set(zmq.MAX_SOCKETS, 4096)
        made = [stack.enter_context(context.socket(kind)) for _ in range(number)]
        for each in made:
            each.linger = 0
            each.set(zmq.RECONNECT_IVL, -1)
            each.set_hwm(0)
            for name, value in options.items():
                each.set(getattr(zmq, name), value)
            each.connect(f"tcp://{origin}127.0.0.1:{port}")
        yield made


def trace_topics(namespace, number):
    """Return that many topics as a client would subscribe to."""
    return [f"{namespace}/r/{n:032x}/".encode() for n in range(number)]


def percentile(durations_s, part):
    """Return the percentile of some durations."""
    return sorted(durations_s)[int(len(durations_s) * part)]


def now_s():
    return time.perf_counter()
