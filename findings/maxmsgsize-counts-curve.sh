#!/usr/bin/env bash
# Guess:  ZMQ_MAXMSGSIZE limits the messages of the application. A socket that takes messages of up to 256 bytes
#         takes them with CURVE, too: encryption is a matter of the transport.
# Truth:  The limit holds for what stands on the wire. With CURVE that is the encrypted frame, longer than
#         the message, and the commands of the handshake as well, the longest of which has over 256 bytes. So a limit
#         of 256 keeps everybody out, whatever is sent; with one of 512 a message of 512 bytes ends its
#         connection, which passes without CURVE.
# Matters: A small limit on a socket that takes small messages only, as one for subscriptions, is sensible. Switch on
#         CURVE, and nobody can join any more, or the longest messages cut their sender, without an error anywhere but in the
#         monitor of the socket.
# Seen:   pyzmq 27.3.0, libzmq 4.3.5: PULL with the limit, PUSH with a message. NULL, 256: 256 bytes arrive, 257 do
#         not. CURVE, 256: 1 byte does not arrive, no handshake. CURVE, 512: 400 bytes arrive, 512 do not.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq --disable-pip-version-check pyzmq==27.3.0

"$folder/venv/bin/python" - <<'PYTHON'
import sys

import zmq

print(f"pyzmq {zmq.__version__}, libzmq {zmq.zmq_version()}")
SERVER, CLIENT = zmq.curve_keypair(), zmq.curve_keypair()


def passes(limit, size, *, curve):
    """Send one message of `size` bytes; return (whether it arrived, whether a handshake succeeded)."""
    with zmq.Context() as context:
        pull, push = context.socket(zmq.PULL), context.socket(zmq.PUSH)
        pull.linger = push.linger = 0
        pull.set(zmq.MAXMSGSIZE, limit)
        if curve:
            pull.curve_server = True
            pull.curve_publickey, pull.curve_secretkey = SERVER
            push.curve_serverkey = SERVER[0]
            push.curve_publickey, push.curve_secretkey = CLIENT
        greeted = pull.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
        push.connect(f"tcp://127.0.0.1:{pull.bind_to_random_port('tcp://127.0.0.1')}")
        push.send(bytes(size))
        arrived = bool(pull.poll(2000))
        seen = arrived, bool(greeted.poll(0))
        context.destroy(linger=0)
    return seen


wanted = {
    ("NULL", 256, 256): (True, True),
    ("NULL", 256, 257): (False, True),
    ("CURVE", 256, 1): (False, False),
    ("CURVE", 512, 400): (True, True),
    ("CURVE", 512, 512): (False, True),
}
seen = {
    (mechanism, limit, size): passes(limit, size, curve=mechanism == "CURVE")
    for mechanism, limit, size in wanted
}
for (mechanism, limit, size), (arrived, greeted) in seen.items():
    print(f"{mechanism}, MAXMSGSIZE {limit}: {size} bytes: arrived {arrived}, handshake {greeted}")
sys.exit(0 if seen == wanted else 1)
PYTHON
