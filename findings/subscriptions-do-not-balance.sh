#!/usr/bin/env bash
# Guess:  Each subscription that an XPUB in manual mode reads is followed by one unsubscription, so a
#         forwarder can add and subtract: SUB counts what its program asks for twice, and tells once.
# Truth:  A SUB sends a message for each call of subscribe(), also for a topic that it holds, and one
#         unsubscription for all of them, whether the program unsubscribes or the connection ends.
# Matters: A forwarder that adds and subtracts never gets back to zero. It asks its publishers for
#         topics that nobody hears, and a limit per host fills up with what nobody holds.
# Seen:   pyzmq 27.3.0, libzmq 4.3.5: 3 subscriptions and 1 unsubscription of one topic, both ways.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq --disable-pip-version-check pyzmq==27.3.0

"$folder/venv/bin/python" - <<'PYTHON'
import sys

import zmq

print(f"pyzmq {zmq.__version__}, libzmq {zmq.zmq_version()}")
context = zmq.Context()
xpub, sub = context.socket(zmq.XPUB), context.socket(zmq.SUB)
xpub.linger = sub.linger = 0
xpub.set(zmq.XPUB_MANUAL, 1)
port = xpub.bind_to_random_port("tcp://127.0.0.1")
sub.connect(f"tcp://127.0.0.1:{port}")


def read(least):
    """Accept what the XPUB reads; return its messages, at least so many and those that follow."""
    read = []
    while xpub.poll(300 if len(read) >= least else 5000):
        message = xpub.recv()
        xpub.set(zmq.SUBSCRIBE if message[0] else zmq.UNSUBSCRIBE, message[1:])
        read.append(message)
    return read


seen = {}
for ending in ("unsubscribe", "close"):
    for _ in range(3):
        sub.subscribe(b"topic/")
    came = read(3)
    if ending == "close":
        sub.close()
    else:
        for _ in range(3):
            sub.unsubscribe(b"topic/")
    seen[ending] = came.count(b"\x01topic/"), read(1).count(b"\x00topic/")
    print(f"3 times subscribe, then {ending}: subscriptions and unsubscriptions {seen[ending]}")
sys.exit(0 if set(seen.values()) == {(3, 1)} else 1)
PYTHON
