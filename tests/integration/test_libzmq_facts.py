"""What keys and cuts rely on in libzmq. Another libzmq that behaves otherwise is noticed here.

Page: docs/spec/06-sockets.md, "One connection of libzmq" and "Keys".
"""

import contextlib
import errno
import os
import socket
import time

import pytest
import zmq
from zmq.utils import z85

from zmq_transport.access import zap
from zmq_transport.access.rights import EVERYTHING, Access
from zmq_transport.proxy.watchdog import GREETING_BYTES
from zmq_transport.sockets import options
from zmq_transport.sockets.connection_view import ConnectionView, line_of, queued_bytes

TIMEOUT_S = 10.0
EVENT_NAMES = (
    "ACCEPTED",
    "CONNECTED",
    "DISCONNECTED",
    "HANDSHAKE_SUCCEEDED",
    "HANDSHAKE_FAILED_AUTH",
    "HANDSHAKE_FAILED_NO_DETAIL",
    "HANDSHAKE_FAILED_PROTOCOL",
)
NAMES = {int(getattr(zmq, f"EVENT_{name}")): name for name in EVENT_NAMES}
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\0"
FAILURE = ["CONNECTED", "HANDSHAKE_FAILED_NO_DETAIL", "DISCONNECTED"]
SUBSCRIBE_BYTES = 10  # a subscription is a command of ZMTP 3.1 with that name
CURVE_BYTES = 33  # the name MESSAGE, a nonce, the flags, and the code that authenticates them
KINDS = {"ROUTER": zmq.DEALER, "XPUB": zmq.SUB, "XSUB": zmq.XPUB}


def pair():
    """Return a public and a secret key, 32 bytes each."""
    return tuple(z85.decode(key) for key in zmq.curve_keypair())


class Server:
    """A socket of a proxy with keys, its handler, and clients of it.

    Attributes:
        access: Who may come in.
        asked: How many questions were answered.
    """

    def __init__(self, kind="ROUTER", *, has_keys=True):
        self.public, secret = pair()
        self.own = options.own_context()
        self.elsewhere = zmq.Context()
        self.elsewhere.set(zmq.BLOCKY, False)
        self.zap = options.zap_handler(self.own)
        self.access = Access({}, {})
        self.asked = 0
        self.has_keys = has_keys
        if kind == "ROUTER":
            self.socket = options.router(2_000_000, own=self.own if has_keys else None)
        elif kind == "XPUB":
            self.socket = options.xpub(own=self.own if has_keys else None)
        else:
            self.socket = options.xsub(2_000_000, own=self.own if has_keys else None)
        self.monitor = options.watched(self.socket, sum(NAMES))
        self._secret = secret
        self._watched, self._others = [self.socket], [self.zap, self.monitor]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in self._watched:
            each.disable_monitor()  # its end would block the thread of the context
        for each in (*self._watched, *self._others):
            each.close(0)
        self.own.destroy(0)
        self.elsewhere.destroy(0)

    def bind(self):
        """Bind to the network, with keys if it has any; return the endpoint."""
        if self.has_keys:
            options.require_keys(self.socket, self._secret)
        return options.bind(self.socket, "127.0.0.1", 0)

    def allow(self, public, name="ada"):
        self.access = Access({**self.access.users, public: name}, {name: EVERYTHING})

    def client(self, endpoint, keys=None, kind=zmq.DEALER, **settings):
        """Return a socket that connects, and its monitor."""
        made = self.elsewhere.socket(kind)
        made.set(zmq.LINGER, 0)
        made.set(zmq.RECONNECT_IVL, 20)
        if keys is not None:
            made.set(zmq.CURVE_PUBLICKEY, keys[0])
            made.set(zmq.CURVE_SECRETKEY, keys[1])
            made.set(zmq.CURVE_SERVERKEY, self.public)
        for name, value in settings.items():
            made.set(getattr(zmq, name), value)
        monitor = options.watched(made, sum(NAMES))
        self._watched.append(made)
        self._others.append(monitor)
        made.connect(endpoint)
        return made, monitor

    def user_of(self, frame):
        """Return the user of the connection that a frame came over."""
        return zap.user_of(frame.get("User-Id"), self.access)

    def listed_client(self, endpoint, kind=zmq.DEALER, **settings):
        if not self.has_keys:
            return self.client(endpoint, None, kind, **settings)
        keys = pair()
        self.allow(keys[0])
        return self.client(endpoint, keys, kind, **settings)

    def leave(self, client):
        """End a client."""
        self._watched.remove(client)
        client.disable_monitor()
        client.close(0)

    def turn(self):
        """Answer those who ask."""
        if not self.zap.poll(10):
            return
        answer = zap.answer(self.zap.recv_multipart(), self.access)
        self.zap.send_multipart(answer)
        self.asked += 1

    def until(self, condition):
        """Answer until a condition holds; return what it returned."""
        end_s = time.monotonic() + TIMEOUT_S
        while not (found := condition()):
            assert time.monotonic() < end_s, "it did not come to pass"
            self.turn()
        return found

    def event(self, monitor, name):
        """Wait for an event of that name; return its value."""
        return self.until(lambda: next((v for n, v in events(monitor) if n == name), None))

    def message(self, of=None):
        """Wait for a message; return its frames with what libzmq says of them."""
        of = of or self.socket
        self.until(lambda: of.poll(0))
        return of.recv_multipart(copy=False)


def events(monitor):
    """Yield the events that are there, as (name, value)."""
    while monitor.poll(0):
        event, _ = monitor.recv_multipart()
        number = int.from_bytes(event[:2], "little")
        yield NAMES[number], int.from_bytes(event[2:6], "little") or True


def speak(server, client, kind):
    """Let a client send what its kind sends to a proxy."""
    if kind == "XPUB":
        client.subscribe(b"topic")
        return
    if kind == "XSUB":  # a publisher drops what it sends before it has a listener
        server.socket.send(b"\x01")
        server.until(lambda: client.poll(0) and client.recv() == b"\x01")
    client.send(b"message")


@pytest.mark.parametrize("has_keys", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_one_connection_can_be_cut_by_the_descriptor_of_its_messages(kind, has_keys):
    with Server(kind, has_keys=has_keys) as server, contextlib.closing(ConnectionView()) as view:
        endpoint = server.bind()
        _, other_monitor = server.listed_client(endpoint, KINDS[kind])
        server.event(other_monitor, "HANDSHAKE_SUCCEEDED")
        client, monitor = server.listed_client(endpoint, KINDS[kind])
        server.event(monitor, "HANDSHAKE_SUCCEEDED")
        speak(server, client, kind)
        frames = server.message()
        found = {frame.get(zmq.SRCFD) for frame in frames}

        assert len(found) == 1
        assert view.cut(line_of(*found))
        server.event(monitor, "DISCONNECTED")
        server.event(monitor, "HANDSHAKE_SUCCEEDED")
        assert [name for name, _ in events(other_monitor)] == []


@pytest.mark.parametrize("has_keys", [False, True])
def test_the_monitor_names_the_descriptor_of_who_comes_and_goes(has_keys):
    with Server(has_keys=has_keys) as server:
        endpoint = server.bind()
        client, monitor = server.listed_client(endpoint)
        server.event(monitor, "HANDSHAKE_SUCCEEDED")
        accepted = server.event(server.monitor, "ACCEPTED")
        line = line_of(accepted)
        server.leave(client)
        ended = server.event(server.monitor, "DISCONNECTED")

        assert line is not None
        assert ended == accepted


def test_who_speaks_a_zmtp_without_a_handshake_is_told_from_others_by_what_was_written_to_it():
    with Server(has_keys=False) as server, contextlib.closing(ConnectionView()) as view:
        port = options.port_of(server.bind())
        with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\n")
            old = line_of(server.event(server.monitor, "ACCEPTED"))
            _, monitor = server.listed_client(f"tcp://127.0.0.1:{port}")
            server.event(monitor, "HANDSHAKE_SUCCEEDED")
            new = line_of(server.event(server.monitor, "ACCEPTED"))

            assert 0 < written_bytes(view, old) < GREETING_BYTES
            server.until(lambda: written_bytes(view, new) >= GREETING_BYTES)


def written_bytes(view, line):
    assert view.look_at(line)
    return view.traffic().acknowledged_bytes + queued_bytes(line[0])


def test_the_options_of_a_keyed_socket_read_back_as_they_were_set():
    for kind in KINDS:
        with Server(kind) as server:
            server.bind()

            assert server.socket.get(zmq.ZAP_DOMAIN) == b"proxy"
            assert server.socket.get(zmq.ZAP_ENFORCE_DOMAIN) == 1
            assert server.socket.get(zmq.CURVE_SERVER) == 1


def test_while_nobody_answers_nobody_comes_in():
    with Server() as server:
        endpoint = server.bind()
        keys = pair()
        server.allow(keys[0])
        _, monitor = server.client(endpoint, keys, HANDSHAKE_IVL=300)
        end_s = time.monotonic() + 1.0
        seen = set()
        while time.monotonic() < end_s:  # nothing answers in here
            seen |= {name for name, _ in events(monitor)}
            monitor.poll(50)

        assert "CONNECTED" in seen
        assert "HANDSHAKE_SUCCEEDED" not in seen
        server.event(monitor, "HANDSHAKE_SUCCEEDED")


def test_a_refused_socket_is_dead_until_it_disconnects_and_connects():
    with Server() as server:
        endpoint, keys = server.bind(), pair()
        client, monitor = server.client(endpoint, keys)
        server.event(monitor, "HANDSHAKE_FAILED_AUTH")
        server.allow(keys[0])
        asked = server.asked

        client.connect(endpoint)
        end_s = time.monotonic() + 0.5  # 25 times the interval in which it would try again
        while time.monotonic() < end_s:
            server.turn()
        assert server.asked == asked
        client.disconnect(endpoint)
        client.connect(endpoint)
        server.event(monitor, "HANDSHAKE_SUCCEEDED")


def test_a_context_has_one_handler():
    with Server() as server, pytest.raises(zmq.ZMQError) as caught:
        options.zap_handler(server.own)

    assert caught.value.errno == errno.EADDRINUSE


def test_who_expects_another_public_key_fails_without_a_reason_and_tries_again_by_itself():
    with Server() as server:
        keys = pair()
        server.allow(keys[0])
        _, monitor = server.client(server.bind(), keys, CURVE_SERVERKEY=pair()[0])
        seen = []
        server.until(lambda: seen.extend(events(monitor)) or len(seen) >= 3 * len(FAILURE))

        assert [name for name, _ in seen[: 3 * len(FAILURE)]] == FAILURE * 3
        assert server.asked == 0


@pytest.mark.parametrize(("has_keys", "added_bytes"), [(False, 0), (True, CURVE_BYTES)])
def test_what_curve_adds_counts_towards_the_largest_message(has_keys, added_bytes):
    with Server("XPUB", has_keys=has_keys) as server:
        endpoint = server.bind()
        largest_bytes = server.socket.get(zmq.MAXMSGSIZE) - SUBSCRIBE_BYTES - added_bytes
        client, monitor = server.listed_client(endpoint, zmq.SUB)
        server.event(monitor, "HANDSHAKE_SUCCEEDED")
        client.subscribe(b"a" * largest_bytes)
        (fits,) = server.message()
        client.subscribe(b"b" * (largest_bytes + 1))
        server.event(monitor, "DISCONNECTED")

        assert len(fits) == 1 + largest_bytes


@pytest.mark.parametrize(("has_keys", "mechanism"), [(False, b"NULL"), (True, b"CURVE")])
def test_the_greeting_tells_the_mechanism(has_keys, mechanism):
    with Server(has_keys=has_keys) as server:
        port = options.port_of(server.bind())
        with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as plain:
            plain.sendall(GREETING)
            greeting = b""
            while len(greeting) < 32:
                greeting += plain.recv(64)

        assert greeting[12:32] == mechanism.ljust(20, b"\0")


def test_a_requested_unsubscription_has_its_sender_and_one_that_libzmq_makes_up_has_none():
    with Server("XPUB") as server:
        endpoint = server.bind()
        client, _ = server.listed_client(endpoint, zmq.SUB)
        client.subscribe(b"one")
        client.subscribe(b"two")
        joined = [server.message()[0], server.message()[0]]
        client.unsubscribe(b"one")
        (requested,) = server.message()
        server.leave(client)
        (made_up,) = server.message()

        assert [bytes(each) for each in joined] == [b"\x01one", b"\x01two"]
        assert bytes(requested) == b"\x00one"
        assert {server.user_of(each) for each in (*joined, requested)} == {"ada"}
        assert len({each.get(zmq.SRCFD) for each in (*joined, requested)}) == 1
        assert bytes(made_up) == b"\x00two"
        for name in (zmq.SRCFD, "User-Id", "Peer-Address"):
            with pytest.raises(zmq.ZMQError):
                made_up.get(name)


def test_keys_hold_for_the_binds_after_them_and_a_unix_socket_before_them_has_its_user(tmp_path):
    with Server() as server:
        private = options.bind_private(server.socket, str(tmp_path / "sock"))
        endpoint = server.bind()
        local, _ = server.client(private)
        _, refused = server.client(endpoint)
        listed, _ = server.listed_client(endpoint)
        local.send(b"local")
        who, local_frame = server.message()
        listed.send(b"listed")
        _, listed_frame = server.message()
        failed = server.until(lambda: [n for n, _ in events(refused) if n.startswith("HANDSHAKE")])

        kernel_says = f"localhost:{os.getuid()}:{os.getgid()}:{os.getpid()}"
        assert local_frame.get("Peer-Address") == kernel_says
        assert who.get("User-Id") == local_frame.get("User-Id") == f"uid:{os.getuid()}"
        assert server.user_of(listed_frame) == "ada"
        assert "HANDSHAKE_SUCCEEDED" not in failed


def prop(name, value):
    """Return one property of a READY."""
    return bytes([len(name)]) + name + len(value).to_bytes(4, "big") + value


def test_the_user_of_the_answer_overrides_what_a_peer_claims(tmp_path):
    ready = b"\x05READY" + prop(b"Socket-Type", b"DEALER") + prop(b"User-Id", b"ben")
    with Server() as server, socket.socket(socket.AF_UNIX) as plain:
        options.bind_private(server.socket, str(tmp_path / "sock"))
        plain.connect(str(tmp_path / "sock"))
        plain.sendall(GREETING + b"NULL".ljust(52, b"\0"))
        plain.sendall(b"\x04" + bytes([len(ready)]) + ready)
        server.event(server.monitor, "HANDSHAKE_SUCCEEDED")
        plain.sendall(b"\x00\x02hi")
        *_, frame = server.message()

        assert bytes(frame) == b"hi"
        assert frame.get("User-Id") == f"uid:{os.getuid()}"
