#!/usr/bin/env bash
# Guess:  ZMQ_RECONNECT_IVL is documented with a random part, so that clients of a restarted server do
#         not all come back at once. ZMQ_RECONNECT_IVL_MAX only bounds the interval.
# Truth:  The random part comes from a generator without a seed: every fresh process draws the same
#         intervals, 183, 125, 141, 186 ms. With a maximum set there is no random part at all: 100, 200,
#         400, 400 ms. Only several sockets of one process differ.
# Matters: A hundred clients on a hundred machines return in step, with both settings. A client that
#         wants jitter must draw it by itself, such as a ZMQ_RECONNECT_IVL of its own for each socket.
# Seen:   pyzmq 27.3.0, libzmq 4.3.5, the wheel for Linux: the same list in each of 4 processes. The
#         intervals are the values of the monitor's CONNECT_RETRIED.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq --disable-pip-version-check pyzmq==27.3.0

cat > "$folder/intervals.py" <<'PYTHON'
import socket
import sys

import zmq
from zmq.utils.monitor import recv_monitor_message

with socket.socket() as held:
    held.bind(("127.0.0.1", 0))  # bound and not listening: every connection is refused
    context = zmq.Context()
    client = context.socket(zmq.DEALER)
    client.set(zmq.RECONNECT_IVL, 100)
    if int(sys.argv[1]):
        client.set(zmq.RECONNECT_IVL_MAX, int(sys.argv[1]))
    events = client.get_monitor_socket(zmq.EVENT_CONNECT_RETRIED)
    client.connect(f"tcp://127.0.0.1:{held.getsockname()[1]}")
    found = [int(recv_monitor_message(events)["value"]) for _ in range(4) if events.poll(5000)]
    context.destroy(linger=0)
print(*found)
PYTHON

run() { for _ in 1 2 3 4; do "$folder/venv/bin/python" "$folder/intervals.py" "$1"; done | sort | uniq -c; }
"$folder/venv/bin/python" -c 'import zmq; print(f"pyzmq {zmq.__version__}, libzmq {zmq.zmq_version()}")'
free=$(run 0)
bounded=$(run 400)
echo "without a maximum, count and intervals: $free"
echo "with a maximum of 400:                  $bounded"
[ "$(wc -l <<< "$free")" = 1 ] && [ "$(xargs <<< "$bounded")" = "4 100 200 400 400" ]
