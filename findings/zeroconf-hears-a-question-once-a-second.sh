#!/usr/bin/env bash
# Guess:  A program that announces a service by multicast DNS answers everyone who asks for it.
# Truth:  zeroconf takes no notice of a question that has the same bytes as one that it heard within the
#         last second, whoever asks: so of two programs that look for a service at a time, one hears
#         nothing, not even by unicast. With the bit for a unicast answer (QU) in it, each gets one.
# Matters: Who starts a look now finds fewer services than there are, and may take one for the only one.
#         Ask with QU from a port of your own, beside the usual question.
# Seen:   zeroconf 0.154.0, Python 3.11: of 5 equal questions in a second 1 was answered, of 5 with QU all.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq --disable-pip-version-check zeroconf==0.154.0

cat > "$folder/ask.py" <<'PYTHON'
import socket
import struct
import sys
import time

import zeroconf

NAME, HERE, GROUP = "_finding._tcp.local.", "127.0.0.1", ("224.0.0.251", 5353)
PTR, IN, UNICAST = 12, 1, 0x8000


def answers(count, bit):
    """Ask so often within a second, each time from another port; return how many answers come."""
    name = b"".join(bytes([len(each)]) + each.encode() for each in NAME.rstrip(".").split("."))
    question = struct.pack("!6H", 0, 0, 1, 0, 0, 0) + name + b"\0" + struct.pack("!2H", PTR, IN | bit)
    found = 0
    for _ in range(count):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asks:
            asks.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(HERE))
            asks.bind((HERE, 0))
            asks.settimeout(0.15)
            asks.sendto(question, GROUP)
            try:
                asks.recv(9000)
                found += 1
            except TimeoutError:
                pass
    return found


with zeroconf.Zeroconf(interfaces=[HERE]) as announces:
    facts = {"port": 7070, "server": "finding.local.", "parsed_addresses": [HERE]}
    announces.register_service(zeroconf.ServiceInfo(NAME, f"one.{NAME}", **facts))
    time.sleep(1.2)
    plain = answers(5, 0)
    time.sleep(1.2)
    unicast = answers(5, UNICAST)

print("zeroconf", zeroconf.__version__, "Python", sys.version.split()[0])
print(f"of 5 equal questions in a second {plain} answered, of 5 with QU {unicast}")
sys.exit(0 if plain == 1 and unicast == 5 else 1)
PYTHON

"$folder/venv/bin/python" "$folder/ask.py"
