#!/usr/bin/env bash
# Guess:  ZMQ_TCP_MAXRT bounds retransmission, so it finds dead hosts: "how long it will take for TCP to give
#         up". A far end that is alive and only reads nothing for a while answers every packet, so back-pressure
#         (the high-water mark) works as ever.
# Truth:  On Linux libzmq sets TCP_USER_TIMEOUT, and that also counts while the receive window of a far end
#         is closed. A far end whose queue is at its high-water mark and whose program reads nothing is cut
#         off after that time, though its host answers. What waited for it is lost with the connection.
# Matters: A few seconds of it, set to find a pulled cable fast, turn a worker that is busy for longer than
#         that, behind full queues, into one whose connection ends and begins anew, again and again.
# Seen:   pyzmq 27.3.0, libzmq 4.3.5, Linux: PUSH of 1 MiB to a PULL with RCVHWM 1 that does not read: without
#         the option no end within 8 s; with 3000 ms DISCONNECTED after 3.4 s, 6 messages sent.
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


def ended_after_s(maxrt_ms, longest_s):
    """Push to a PULL that reads nothing; return when its connection ended, and what was sent."""
    with zmq.Context() as context:
        push, pull = context.socket(zmq.PUSH), context.socket(zmq.PULL)
        push.linger = pull.linger = 0
        push.set(zmq.SNDHWM, 4)
        pull.set(zmq.RCVHWM, 1)
        push.set(zmq.SNDBUF, 64 * 1024)
        pull.set(zmq.RCVBUF, 64 * 1024)
        if maxrt_ms:
            push.set(zmq.TCP_MAXRT, maxrt_ms)
        events = push.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        push.connect(f"tcp://127.0.0.1:{pull.bind_to_random_port('tcp://127.0.0.1')}")
        begin_s, sent, ended_s = time.monotonic(), 0, None
        while ended_s is None and time.monotonic() < begin_s + longest_s:
            try:
                push.send(bytes(1 << 20), zmq.NOBLOCK)
                sent += 1
            except zmq.Again:
                pass
            if events.poll(50):
                recv_monitor_message(events)
                ended_s = time.monotonic() - begin_s
        context.destroy(linger=0)
    return ended_s, sent


without, sent = ended_after_s(0, 8.0)
print(f"without TCP_MAXRT: {sent} sent, ended after {without} s")
with_it, sent = ended_after_s(3000, 20.0)
print(f"with TCP_MAXRT 3000: {sent} sent, ended after {with_it} s")
sys.exit(0 if without is None and with_it is not None and 2.5 < with_it < 15.0 else 1)
PYTHON
