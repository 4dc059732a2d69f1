"""The router over plain sockets, turn by turn, with a clock of the test."""

import errno
import socket
from collections import Counter
from unittest import mock

import pytest

from zmq_transport.proxy.poller import Poller
from zmq_transport.proxy.settings import Settings
from zmq_transport.proxy.zmtp_router import ZmtpRouter
from zmq_transport.sockets.sent import Sent
from zmq_transport.zmtp.connection import CLIENT
from zmq_transport.zmtp.frame_writer import PING, PROBE, encode_command

SETTINGS = Settings(handshake_s=3.0, hello_s=10.0, unread_s=60.0, high_water=4)


class Fabric:
    """A router, what it handed over, and the clients of it."""

    def __init__(self):
        self.counts = Counter()
        self.messages, self.ended, self.admitted, self.writable = [], [], set(), []
        self.poller = Poller()
        self.now_s = 100.0
        self.router = ZmtpRouter(
            SETTINGS,
            self.poller,
            self.counts,
            self._on_message,
            lambda name, _: self.ended.append(name),
            self.admitted.__contains__,
            lambda name, _: self.writable.append(name),
        )
        self.port = self.router.listen_on("127.0.0.1", 0)
        self.clients = []

    def _on_message(self, name, frames, now_s, alone, _):
        if frames == (b"defect",):
            raise ZeroDivisionError
        self.messages.append((name, frames, alone))

    def connect(self, data=b""):
        """Connect a client that sends some bytes."""
        made = socket.create_connection(("127.0.0.1", self.port))
        made.setblocking(False)
        made.sendall(data)
        self.clients.append(made)
        return made

    def turn(self, after_s=0.0):
        """Let it do all that there is to do, and tick."""
        self.now_s += after_s
        while ready := self.poller.wait(0.02):
            for on_ready, events in ready:
                on_ready(self.now_s, events, len(ready) == 1)
        self.router.tick(self.now_s)

    def turn_until(self, condition):
        """Take turns until something holds; the kernel may deliver late."""
        for _ in range(250):
            self.turn()
            if condition():
                return
        raise AssertionError("it did not come true")

    def open_client(self):
        """Return a client that has greeted and probed, and its connection id."""
        client, before = self.connect(CLIENT.opening + PROBE), len(self.messages)
        self.turn_until(lambda: len(self.messages) > before)
        return client, self.messages[-1][0]


def is_cut(client):
    """Read what came; tell whether the router has closed the connection."""
    try:
        while client.recv(65536):
            pass
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
    return True


@pytest.fixture
def fabric():
    made = Fabric()
    yield made
    made.router.close()
    made.poller.close()
    for each in made.clients:
        each.close()


def test_a_client_is_handed_over_with_a_connection_id_of_its_own(fabric):
    _, first = fabric.open_client()
    _, second = fabric.open_client()

    assert first != second
    assert [frames for _, frames, _ in fabric.messages] == [(b"",), (b"",)]
    assert fabric.counts == {"connection.accepted": 2, "connection.greeted": 2}


@pytest.mark.parametrize("data", [b"", CLIENT.opening[:10], CLIENT.opening[:64]])
def test_who_does_not_finish_the_handshake_is_cut_in_time_and_not_before(fabric, data):
    client = fabric.connect(data)
    fabric.turn_until(lambda: fabric.counts["connection.accepted"])
    fabric.turn(2.9)
    before = is_cut(client)
    fabric.turn(0.2)

    assert (before, is_cut(client)) == (False, True)
    assert fabric.counts["drop.handshake"] == 1
    assert fabric.ended == []


def test_who_says_no_hello_is_cut_in_time_and_who_said_it_is_not(fabric):
    stranger, name = fabric.open_client()
    client, admitted = fabric.open_client()
    fabric.admitted.add(admitted)
    fabric.turn(10.1)

    assert (is_cut(stranger), is_cut(client)) == (True, False)
    assert fabric.counts["cut.no_hello"] == 1
    assert fabric.ended == [name]


def test_a_connection_whose_client_has_a_newer_one_is_cut(fabric):
    old, name = fabric.open_client()
    fabric.admitted.add(name)
    fabric.turn(10.1)
    fabric.admitted.remove(name)
    for _ in range(200):
        fabric.router.tick(fabric.now_s)
    fabric.turn(10.1)

    assert is_cut(old)


def test_who_takes_no_byte_is_cut_in_time_and_who_takes_some_is_not(fabric):
    (deaf, one), (slow, other) = fabric.open_client(), fabric.open_client()
    fabric.admitted |= {one, other}
    for name in (one, other):
        fabric.router.send(name, b"head", bytes(16 * 1024 * 1024))
    fabric.turn(50.0)
    before = fabric.router._waiting.used
    # It reads what is there, so the kernel takes more.
    fabric.turn_until(lambda: not is_cut(slow) and fabric.router._waiting.used < before)
    fabric.turn(20.0)

    assert fabric.counts["cut.unread"] == 1
    assert fabric.ended == [one]
    assert is_cut(deaf)


def test_who_takes_no_byte_has_the_whole_time_also_before_the_first_tick(fabric):
    client, seen = fabric.connect(CLIENT.opening + PROBE), fabric.messages
    while not seen:
        for on_ready, events in fabric.poller.wait(0.02):
            on_ready(fabric.now_s, events, True)
    fabric.router.send(seen[0][0], b"head", bytes(16 * 1024 * 1024))
    fabric.turn()

    assert not fabric.counts["cut.unread"]
    assert not is_cut(client)


def test_messages_beyond_the_high_water_mark_find_it_busy(fabric):
    _, name = fabric.open_client()
    body = bytes(8 * 1024 * 1024)
    sent = [fabric.router.send(name, b"head", body) for _ in range(5)]

    assert sent[0] is Sent.OK
    assert sent[-1] is Sent.BUSY
    assert fabric.router.send(b"nobody", b"head", b"") is Sent.UNREACHABLE


def test_room_is_told_once_after_a_message_found_none_and_not_before_there_is(fabric):
    client, name = fabric.open_client()
    while fabric.router.send(name, b"head", bytes(1024 * 1024)) is Sent.OK:
        pass
    fabric.turn()
    before = [*fabric.writable]

    def is_told():
        is_cut(client)  # it reads
        return not fabric.router.waiting_bytes

    fabric.turn_until(is_told)

    assert (before, fabric.writable) == ([], [name])


def test_who_found_room_for_everything_is_not_told_of_room(fabric):
    client, name = fabric.open_client()
    assert fabric.router.send(name, b"head", bytes(8 * 1024 * 1024)) is Sent.OK

    def is_sent():
        is_cut(client)  # it reads
        return not fabric.router.waiting_bytes

    fabric.turn_until(is_sent)

    assert fabric.writable == []


def test_the_end_of_a_connection_is_told_behind_its_last_message(fabric):
    client, name = fabric.open_client()
    fabric.messages.clear()
    client.sendall(b"\x00\x04last")
    client.close()
    fabric.turn_until(lambda: fabric.ended)

    assert [frames for _, frames, _ in fabric.messages] == [(b"last",)]
    assert fabric.ended == [name]
    assert fabric.router.send(name, b"head", b"") is Sent.UNREACHABLE


def test_a_ping_is_answered_and_a_message_beside_it_is_handed_over(fabric):
    client, _ = fabric.open_client()
    client.recv(65536)
    client.sendall(PING + b"\x00\x04last")
    fabric.turn_until(lambda: fabric.messages[-1][1] == (b"last",))

    assert client.recv(65536) == encode_command(b"PONG")


def test_only_a_lone_message_is_said_to_be_alone(fabric):
    client, _ = fabric.open_client()
    client.sendall(b"\x00\x01a")
    fabric.turn_until(lambda: len(fabric.messages) == 2)
    client.sendall(b"\x00\x01b\x00\x01c")
    fabric.turn_until(lambda: len(fabric.messages) == 4)

    assert [alone for *_, alone in fabric.messages[-3:]] == [True, False, False]


def test_a_defect_ends_one_connection_and_no_other(fabric):
    (faulty, _), (client, _) = fabric.open_client(), fabric.open_client()
    faulty.sendall(b"\x00\x06defect")
    fabric.turn_until(lambda: fabric.ended)

    assert (is_cut(faulty), is_cut(client)) == (True, False)
    assert fabric.counts["drop.engine_fault"] == 1


def test_without_a_descriptor_it_rests_until_the_next_tick(fabric):
    full = OSError(errno.EMFILE, "too many open files")
    (listener,) = fabric.router._listeners
    with mock.patch.object(type(listener), "accept", side_effect=full) as accept:
        fabric.connect()
        ready = fabric.poller.wait(1.0)
        for on_ready, events in ready:
            on_ready(fabric.now_s, events, True)

        assert fabric.poller.wait(0.0) == []
        assert accept.call_count == 1
    fabric.router.tick(fabric.now_s)
    fabric.turn_until(lambda: fabric.counts["connection.accepted"] == 1)


def test_what_the_kernel_has_taken_is_delivered_when_it_closes(fabric):
    client, name = fabric.open_client()
    client.sendall(b"\x00\x06unread")
    fabric.router.send(name, b"head", b"the last words")
    fabric.router.close()
    client.setblocking(True)
    data = b""
    while some := client.recv(65536):
        data += some

    assert data.endswith(b"the last words")
