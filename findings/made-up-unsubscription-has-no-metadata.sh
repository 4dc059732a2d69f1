#!/usr/bin/env bash
# Guess:  Each subscription or unsubscription that an XPUB reads tells whose it is: the frame holds
#         the address of the peer and the descriptor of its connection.
# Truth:  A peer that goes without a word leaves unsubscriptions that libzmq makes up. They are one frame
#         like any other, but every Frame.get() on one raises.
# Matters: Who counts subscriptions by the address in the frame never takes away those of a client that
#         crashed, or charges another one. A forwarder must remember who holds what.
# Seen:   pyzmq 27.3.0, libzmq 4.3.5: the subscription has Peer-Address and SRCFD, a sent unsubscription
#         has them too; after the subscriber is killed the unsubscription has neither.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq --disable-pip-version-check pyzmq==27.3.0

"$folder/venv/bin/python" - <<'PYTHON'
import subprocess
import sys

import zmq

print(f"pyzmq {zmq.__version__}, libzmq {zmq.zmq_version()}")
SUBSCRIBER = """
import sys, zmq
socket = zmq.Context().socket(zmq.SUB)
socket.connect(sys.argv[1])
socket.subscribe(b"left")
socket.subscribe(b"kept")
sys.stdin.readline()
socket.unsubscribe(b"left")
sys.stdin.readline()
"""
publisher = zmq.Context().socket(zmq.XPUB)
port = publisher.bind_to_random_port("tcp://127.0.0.1")
child = subprocess.Popen(
    [sys.executable, "-c", SUBSCRIBER, f"tcp://127.0.0.1:{port}"], stdin=subprocess.PIPE, text=True
)


def told(frame):
    found = {}
    for name, key in (("address", "Peer-Address"), ("descriptor", zmq.SRCFD)):
        try:
            found[name] = bool(frame.get(key))
        except zmq.ZMQError:
            found[name] = False
    return found


def read():
    assert publisher.poll(10_000)
    frame = publisher.recv(copy=False)
    return frame.bytes, told(frame)


joined = [read(), read()]
child.stdin.write("\n")
child.stdin.flush()
sent = read()
child.kill()
made_up = read()
child.wait()
for what, (topic, metadata) in zip(("joined", "joined", "sent", "made up"), [*joined, sent, made_up]):
    print(f"{what}: {topic!r} {metadata}")
both, neither = {"address": True, "descriptor": True}, {"address": False, "descriptor": False}
as_seen = [metadata for _, metadata in joined] == [both, both] and sent == (b"\0left", both)
sys.exit(0 if as_seen and made_up == (b"\0kept", neither) else 1)
PYTHON
