#!/usr/bin/env bash
# Guess:  A ZeroMQ socket reconnects by itself, whatever happened: put the far end right, and it works.
# Truth:  A refused handshake (here: a PUB answers a DEALER) ends the session for good. The monitor shows
#         DISCONNECTED, as after any end, and no HANDSHAKE_FAILED event; libzmq makes no further
#         attempt, and a second connect() to the same endpoint changes nothing. disconnect() followed
#         by connect() works at once.
# Matters: A port that once answers with another socket, as after a mistake in a restart, cuts off
#         every client that was running, while new clients get in. A client must notice that a
#         DISCONNECTED is not followed by CONNECT_RETRIED, and connect anew by itself.
# Seen:   pyzmq 27.3.0, libzmq 4.3.5:
#           events: CONNECT_DELAYED CONNECTED DISCONNECTED, attempts in the next 2 s: 0
#           answered after connect: False; after disconnect and connect: True
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq --disable-pip-version-check pyzmq==27.3.0

"$folder/venv/bin/python" - <<'PYTHON'
import sys
import time

import zmq
from zmq.utils.monitor import recv_monitor_message

print(f"pyzmq {zmq.__version__}, libzmq {zmq.zmq_version()}")
context = zmq.Context()
wrong = context.socket(zmq.PUB)
wrong.linger = 0
port = wrong.bind_to_random_port("tcp://127.0.0.1")
endpoint = f"tcp://127.0.0.1:{port}"

client = context.socket(zmq.DEALER)
client.linger = 0
client.set(zmq.RECONNECT_IVL, 50)
events = client.get_monitor_socket(zmq.EVENT_ALL)
client.connect(endpoint)


def next_event(timeout_ms):
    return recv_monitor_message(events)["event"] if events.poll(timeout_ms) else None


seen = []
while not seen or seen[-1] not in (None, zmq.EVENT_DISCONNECTED):
    seen.append(next_event(5000))

wrong.close()
right = context.socket(zmq.ROUTER)
right.linger = 0
until = time.monotonic() + 5
while True:
    try:
        right.bind(endpoint)
        break
    except zmq.ZMQError:
        if time.monotonic() > until:
            raise
        time.sleep(0.05)


def is_answered(timeout_ms):
    try:
        client.send(b"hello", zmq.DONTWAIT)
    except zmq.Again:
        return False
    if not right.poll(timeout_ms):
        return False
    right.send_multipart(right.recv_multipart())
    return bool(client.poll(timeout_ms)) and client.recv() == b"hello"


attempts = 0
until = time.monotonic() + 2
while time.monotonic() < until:
    attempts += next_event(100) is not None
client.connect(endpoint)
after_connect = is_answered(1000)
client.disconnect(endpoint)
client.connect(endpoint)
after_both = is_answered(3000)
expected = [zmq.EVENT_CONNECT_DELAYED, zmq.EVENT_CONNECTED, zmq.EVENT_DISCONNECTED]
names = " ".join(zmq.Event(event).name if event else "nothing" for event in seen)
print(f"events: {names}, attempts in the next 2 s: {attempts}")
print(f"answered after connect: {after_connect}; after disconnect and connect: {after_both}")
sys.exit(0 if (seen, attempts, after_connect, after_both) == (expected, 0, False, True) else 1)
PYTHON
