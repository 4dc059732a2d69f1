#!/usr/bin/env bash
# Guess:  ZMQ_IMMEDIATE is about sending: no queue for a peer that is not connected. Messages that were
#         received already stay readable after the peer has gone.
# Truth:  When the connection ends, an IMMEDIATE socket throws away every message that has arrived and
#         was not yet read. Without the option all of them can still be read.
# Matters: Replies that reached a client are lost if their server ends a moment later, gracefully or
#         not. With this option a protocol needs replies that can be asked for again.
# Seen:   pyzmq 27.3.0, libzmq 4.3.5: 100 messages sent, the first one read, then the peer closes:
#         IMMEDIATE=0 reads the other 99, IMMEDIATE=1 reads 0.
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


def readable_after_the_end(immediate):
    context = zmq.Context()
    server = context.socket(zmq.ROUTER)
    server.linger = 2000
    port = server.bind_to_random_port("tcp://127.0.0.1")
    client = context.socket(zmq.DEALER)
    client.linger = 0
    client.set(zmq.IMMEDIATE, immediate)
    events = client.get_monitor_socket(zmq.EVENT_DISCONNECTED)
    client.connect(f"tcp://127.0.0.1:{port}")
    client.send(b"hello")
    peer, _ = server.recv_multipart()
    for number in range(100):
        server.send_multipart([peer, str(number).encode()])
    assert client.poll(5000) and client.recv() == b"0"
    time.sleep(1.0)  # the others arrive in the pipe of the client
    server.close()
    assert events.poll(5000)
    recv_monitor_message(events)
    time.sleep(0.5)
    count = 0
    while client.poll(200):
        client.recv()
        count += 1
    context.destroy(linger=0)
    return count


plain, immediate = readable_after_the_end(0), readable_after_the_end(1)
print(f"messages still readable: IMMEDIATE=0 {plain} of 99, IMMEDIATE=1 {immediate} of 99")
sys.exit(0 if (plain, immediate) == (99, 0) else 1)
PYTHON
