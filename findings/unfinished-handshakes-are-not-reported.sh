#!/usr/bin/env bash
# Guess:  The socket monitor of ZeroMQ reports every handshake that fails (HANDSHAKE_FAILED_...), and
#         HANDSHAKE_IVL ends every handshake that does not come to its end.
# Truth:  Between sockets whose types do not belong together (a DEALER that meets a PUB) it reports
#         CONNECTED and DISCONNECTED only. With a far end that says "SSH-2.0-..." the handshake has no
#         end: no event and no timeout, HANDSHAKE_IVL or not. The banner is taken for an old ZMTP.
# Matters: A program that waits for HANDSHAKE_FAILED to try again, or to tell its user that the port is
#         wrong, waits for ever in the two most common cases of a wrong port.
# Seen:   pyzmq 27.3.0, libzmq 4.3.5. A far end that accepts and says nothing is reported as one would
#         think: HANDSHAKE_FAILED_NO_DETAIL, DISCONNECTED, CONNECT_RETRIED.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq --disable-pip-version-check pyzmq==27.3.0

cat >"$folder/seen.py" <<'PYTHON'
import socket
import sys
import threading
import time

import zmq
from zmq.utils.monitor import parse_monitor_message

NAMES = {int(getattr(zmq, each)): each[6:] for each in dir(zmq) if each.startswith("EVENT_")}
HANDSHAKE_MS, WATCHED_S = 500, 2.0
context = zmq.Context()


def events_of_a_dealer(port):
    """Connect a DEALER there; return the names of its events within 2 s."""
    dealer = context.socket(zmq.DEALER)
    dealer.linger = 0
    dealer.handshake_ivl = HANDSHAKE_MS
    monitor = dealer.get_monitor_socket()
    dealer.connect(f"tcp://127.0.0.1:{port}")
    kept.append(dealer)
    seen = []
    end_s = time.monotonic() + WATCHED_S
    while (left_s := end_s - time.monotonic()) > 0:
        if monitor.poll(int(left_s * 1000)):
            seen.append(NAMES[int(parse_monitor_message(monitor.recv_multipart())["event"])])
    return seen


def accept(listener, says):
    while True:
        connection, _ = listener.accept()
        kept.append(connection)
        connection.sendall(says)


kept = []
wrong = context.socket(zmq.PUB)
wrong.linger = 0
port_of_pub = wrong.bind_to_random_port("tcp://127.0.0.1")
ports = {}
for name, says in (("banner", b"SSH-2.0-OpenSSH_9.2\r\n"), ("silence", b"")):
    listener = socket.create_server(("127.0.0.1", 0))
    ports[name] = listener.getsockname()[1]
    threading.Thread(target=accept, args=(listener, says), daemon=True).start()

print(f"pyzmq {zmq.__version__}, libzmq {zmq.zmq_version()}, HANDSHAKE_IVL {HANDSHAKE_MS} ms")
silence = events_of_a_dealer(ports["silence"])
pub = events_of_a_dealer(port_of_pub)
banner = events_of_a_dealer(ports["banner"])
for name, seen in (("silence", silence), ("a PUB", pub), ("an SSH banner", banner)):
    print(f"{name}: {' '.join(seen)}")
as_seen = (
    "HANDSHAKE_FAILED_NO_DETAIL" in silence  # this one is reported as one would think
    and pub[-2:] == ["CONNECTED", "DISCONNECTED"]
    and not any("HANDSHAKE" in each for each in pub)
    and banner[-1] == "CONNECTED"
)
print("as described" if as_seen else "CHANGED")
context.destroy(linger=0)
sys.exit(0 if as_seen else 1)
PYTHON
"$folder/venv/bin/python" "$folder/seen.py"
