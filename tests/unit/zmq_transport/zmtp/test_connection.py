"""One connection: every state with every event."""

import pytest

from zmq_transport.kernel import encode_message
from zmq_transport.zmtp import connection as connections
from zmq_transport.zmtp.connection import CLIENT, PROXY, Connection, ConnectionState
from zmq_transport.zmtp.frame_writer import PING, encode_command
from zmq_transport.zmtp.greeting import GREETING, ready_properties

LIMIT = 1 << 16
READY = encode_command(b"READY", ready_properties(b"DEALER"))
ERROR = encode_command(b"ERROR", b"\x02no")
UNKNOWN = encode_command(b"LATER", b"what is to come")
MESSAGE = encode_message(b"head", b"body")
REACHED_BY = {
    ConnectionState.GREETING: b"",
    ConnectionState.READY: GREETING,
    ConnectionState.OPEN: GREETING + READY,
}
EVENTS = {
    "greeting": GREETING,
    "READY": READY,
    "another READY": encode_command(b"READY", ready_properties(b"REQ")),
    "ERROR": ERROR,
    "PING": PING,
    "PONG": encode_command(b"PONG"),
    "unknown": UNKNOWN,
    "nameless": b"\x04\x00",
    "message": MESSAGE,
    "garbage": b"GET / HTTP/1.1\r\n",
}
# What a state does with an event, where that is neither to go on as before nor to close.
NEXT = {
    (ConnectionState.GREETING, "greeting"): ConnectionState.READY,
    (ConnectionState.READY, "READY"): ConnectionState.OPEN,
}
FAULTS = {
    **{(ConnectionState.GREETING, event): "not_zmtp" for event in EVENTS if event != "greeting"},
    (ConnectionState.READY, "greeting"): "bad_command",
    (ConnectionState.READY, "another READY"): "socket_type",
    (ConnectionState.READY, "ERROR"): "refused",
    (ConnectionState.READY, "PING"): "early_command",
    (ConnectionState.READY, "PONG"): "early_command",
    (ConnectionState.READY, "unknown"): "early_command",
    (ConnectionState.READY, "nameless"): "bad_command",
    (ConnectionState.READY, "message"): "early_message",
    (ConnectionState.READY, "garbage"): "bad_command",
    (ConnectionState.OPEN, "greeting"): "bad_command",
    (ConnectionState.OPEN, "ERROR"): "refused",
    (ConnectionState.OPEN, "nameless"): "bad_command",
    (ConnectionState.OPEN, "garbage"): "bad_command",
}


def in_state(state):
    connection = Connection(PROXY, LIMIT)
    if state is ConnectionState.CLOSED:
        connection.close()
    else:
        connection.receive(REACHED_BY[state])
    assert connection.state is state
    return connection


def reason_of(connection):
    return connection.fault and connection.fault.reason


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize(
    "state", [ConnectionState.GREETING, ConnectionState.READY, ConnectionState.OPEN]
)
def test_a_state_goes_where_the_table_says(state, event):
    connection = in_state(state)
    fault = FAULTS.get((state, event))

    messages = connection.receive(EVENTS[event])

    after = ConnectionState.CLOSED if fault else NEXT.get((state, event), state)
    assert (connection.state, reason_of(connection)) == (after, fault)
    is_message = state is ConnectionState.OPEN and event == "message"
    assert messages == ([(b"head", b"body")] if is_message else [])


@pytest.mark.parametrize("event", EVENTS)
def test_what_comes_after_the_end_is_ignored(event):
    connection = in_state(ConnectionState.CLOSED)

    assert connection.receive(EVENTS[event]) == []
    assert (connection.state, connection.fault, connection.answers) == (
        ConnectionState.CLOSED,
        None,
        b"",
    )


@pytest.mark.parametrize(("role", "peer"), [(CLIENT, PROXY), (PROXY, CLIENT)])
def test_the_opening_of_one_end_opens_the_other(role, peer):
    connection = Connection(role, LIMIT)

    connection.receive(peer.opening)

    assert (connection.state, connection.minor) == (ConnectionState.OPEN, 1)


def test_everything_may_come_at_once():
    connection = Connection(PROXY, LIMIT)

    messages = connection.receive(CLIENT.opening + b"\0\0" + MESSAGE + PING + MESSAGE)

    assert messages == [(b"",), (b"head", b"body"), (b"head", b"body")]
    assert connection.take_answers() == encode_command(b"PONG")


def test_everything_may_come_byte_by_byte():
    connection = Connection(PROXY, LIMIT)
    messages = []

    for byte in CLIENT.opening + b"\0\0" + MESSAGE + PING + MESSAGE:
        messages += connection.receive(bytes((byte,)))

    assert messages == [(b"",), (b"head", b"body"), (b"head", b"body")]
    assert connection.take_answers() == encode_command(b"PONG")


def test_messages_in_front_of_a_fault_are_returned():
    connection = in_state(ConnectionState.OPEN)

    messages = connection.receive(MESSAGE + ERROR + MESSAGE)

    assert messages[0] == (b"head", b"body")
    assert reason_of(connection) == "refused"


@pytest.mark.parametrize("context", [b"", b"c", bytes(16)])
def test_a_ping_is_answered_with_its_context(context):
    connection = in_state(ConnectionState.OPEN)

    connection.receive(encode_command(b"PING", b"\0\x1e" + context))

    assert connection.take_answers() == encode_command(b"PONG", context)
    assert connection.take_answers() == b""


def test_of_a_long_context_sixteen_bytes_go_back():
    connection = in_state(ConnectionState.OPEN)

    connection.receive(encode_command(b"PING", b"\0\0" + b"0123456789abcdef and more"))

    assert connection.take_answers() == encode_command(b"PONG", b"0123456789abcdef")


def test_pings_without_end_are_not_all_answered():
    connection = in_state(ConnectionState.OPEN)

    connection.receive(PING * 100_000)

    assert len(connection.answers) < connections.MAX_ANSWER_BYTES + 32


def test_a_ping_without_a_ttl_is_a_fault():
    connection = in_state(ConnectionState.OPEN)

    connection.receive(encode_command(b"PING", b"\0"))

    assert reason_of(connection) == "bad_command"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x02" + (LIMIT + 1).to_bytes(8, "big"), "frame_size"),
        (b"\x03" + (1 << 63).to_bytes(8, "big"), "frame_size"),
        (b"\x06" + (1 << 20).to_bytes(8, "big"), "command_size"),
        (b"\x05\x05", "bad_command"),
        (b"\x01\x00" * 7 + b"\x01\x00", "frames_of_message"),
    ],
)
def test_a_frame_over_a_limit_is_a_fault_before_its_bytes_come(data, reason):
    connection = in_state(ConnectionState.OPEN)

    connection.receive(data)

    assert reason_of(connection) == reason
    assert connection.waiting_bytes == 0


def test_the_frames_of_a_message_are_bounded_together():
    connection = in_state(ConnectionState.OPEN)
    half = LIMIT // 2
    connection.receive(b"\x03" + half.to_bytes(8, "big") + bytes(half))

    connection.receive(b"\x02" + (half + 1).to_bytes(8, "big"))

    assert reason_of(connection) == "frame_size"


def test_a_large_frame_in_many_pieces_is_one_body():
    connection = in_state(ConnectionState.OPEN)
    body = bytes(range(256)) * 200
    data = encode_message(b"head", body) + MESSAGE
    sizes = [1, 2, 3, 5000, 1, 1, 8000, 9000, 7, 1 << 20]
    messages, at = [], 0

    for size in sizes:
        messages += connection.receive(data[at : at + size])
        at += size

    assert messages == [(b"head", body), (b"head", b"body")]
    assert connection.waiting_bytes == 0
