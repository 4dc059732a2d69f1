#!/usr/bin/env bash
# Guess:  The security mechanism belongs to a socket: a ROUTER that is a CURVE server is one on every endpoint
#         that it is bound to, and one socket cannot take plain and encrypted clients.
# Truth:  bind() copies the options that are set at that moment to the listener of that endpoint. A ROUTER bound to
#         ipc, then made a CURVE server, then bound to TCP takes clients without keys over ipc and demands
#         keys over TCP.
# Matters: It is a way to serve local clients by file mode and remote ones by key, with one socket. And it is a trap:
#         a key that is set after the first bind protects nothing there, and no error says so.
# Seen:   pyzmq 27.3.0, libzmq 4.3.5, Linux: ipc without a key arrives, TCP without a key does not, TCP with a key does.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq --disable-pip-version-check pyzmq==27.3.0

"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys

import zmq

print(f"pyzmq {zmq.__version__}, libzmq {zmq.zmq_version()}")
SERVER, CLIENT = zmq.curve_keypair(), zmq.curve_keypair()

with zmq.Context() as context:
    router = context.socket(zmq.ROUTER)
    router.linger = 0
    local = f"ipc://{sys.argv[1]}/router.sock"
    router.bind(local)
    router.curve_server = True
    router.curve_publickey, router.curve_secretkey = SERVER
    remote = f"tcp://127.0.0.1:{router.bind_to_random_port('tcp://127.0.0.1')}"

    def arrives(endpoint, *, key):
        """Send one message as a client; return whether the ROUTER has it within 2 s."""
        with context.socket(zmq.DEALER) as dealer:
            dealer.linger = 0
            if key:
                dealer.curve_serverkey = SERVER[0]
                dealer.curve_publickey, dealer.curve_secretkey = CLIENT
            dealer.connect(endpoint)
            dealer.send(b"hello")
            arrived = bool(router.poll(2000))
            if arrived:
                router.recv_multipart()
            return arrived

    seen = {
        "ipc, no key": arrives(local, key=False),
        "TCP, no key": arrives(remote, key=False),
        "TCP, key": arrives(remote, key=True),
    }
    context.destroy(linger=0)
for way, arrived in seen.items():
    print(f"{way}: {'arrives' if arrived else 'does not arrive'}")
sys.exit(0 if seen == {"ipc, no key": True, "TCP, no key": False, "TCP, key": True} else 1)
PYTHON
