#!/usr/bin/env bash
# Guess:  A client saves round trips by one write of greeting, READY and first message. ZMTP 3.0 (RFC 23)
#         allows it: a peer may send messages "immediately after sending its metadata". And TCP does not
#         show where a write ends.
# Truth:  libzmq closes the connection, HANDSHAKE_FAILED_PROTOCOL, if the message is there before libzmq has
#         sent its own READY. The same bytes in two writes are taken if they come apart. So it depends on
#         timing. ZMTP 3.1 (RFC 37) says it: both READY come first.
# Matters: Who writes ZMTP by hand, as in Node, sees it work over a slow link and fail on a fast one, or
#         after Nagle or a tunnel has joined the writes. The client sees only an end of the connection.
# Seen:   pyzmq 27.3.0, libzmq 4.3.5, greeting of 3.0 and of 3.1, 10 connections each: one write 0 of 10
#         messages arrive, greeting and READY in one write and then the message 10 of 10.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq --disable-pip-version-check pyzmq==27.3.0

"$folder/venv/bin/python" - <<'PYTHON'
import socket
import sys

import zmq
from zmq.utils.monitor import recv_monitor_message

print(f"pyzmq {zmq.__version__}, libzmq {zmq.zmq_version()}")
SOCKET_TYPE = b"\x0bSocket-Type\x00\x00\x00\x06DEALER"
READY = b"\x04" + bytes([6 + len(SOCKET_TYPE)]) + b"\x05READY" + SOCKET_TYPE
MESSAGE = b"\x00\x05hello"


def greeting(minor):
    return b"\xff" + bytes(8) + b"\x7f\x03" + bytes([minor]) + b"NULL".ljust(20, b"\0") + bytes(32)


def is_taken(first, then):
    """Write `first`, wait for the whole handshake of the ROUTER, write `then`; look for the message."""
    context = zmq.Context()
    router = context.socket(zmq.ROUTER)
    events = router.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL)
    port = router.bind_to_random_port("tcp://127.0.0.1")
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(first)
        assert events.poll(10_000)
        outcome = zmq.Event(recv_monitor_message(events)["event"]).name
        if outcome == "HANDSHAKE_SUCCEEDED":
            client.sendall(then)
        arrived = bool(router.poll(5000 if then else 200)) and router.recv_multipart()[1:] == [b"hello"]
    context.destroy(linger=0)
    return arrived, outcome


same = True
for minor in (0, 1):
    hello = greeting(minor) + READY
    for name, writes, expected in [
        ("all in one write", (hello + MESSAGE, b""), (False, "HANDSHAKE_FAILED_PROTOCOL")),
        ("greeting and READY, then the message", (hello, MESSAGE), (True, "HANDSHAKE_SUCCEEDED")),
    ]:
        seen = [is_taken(*writes) for _ in range(10)]
        same = same and seen == [expected] * 10
        outcomes = " ".join(sorted({outcome for _, outcome in seen}))
        print(f"ZMTP 3.{minor}, {name}: {sum(arrived for arrived, _ in seen)} of 10 arrive, {outcomes}")
sys.exit(0 if same else 1)
PYTHON
