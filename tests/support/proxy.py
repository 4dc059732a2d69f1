"""A proxy of the transport alone: `python proxy.py PORT [OPTIONS]`, with 0 for any free ports.

OPTIONS is JSON: `host`, `carrier`, `ipc`, `ipc_mode`, `keys`, any of the `Settings`, `behind_s` in
place of `watchdog.BEHIND_S`, and `peers`, a list of pairs of host and port. It prints `listening`
and its three ports, and `news` with the kind, the term and the URLs. To each line on stdin it
answers `counts`, that line and its counters as JSON; but `access` and a list of users puts that
list in force, and `stall` and a number stops its loop for so many seconds. SIGTERM lets it drain.
"""

import json
import os
import signal
import sys
import threading
import time

from zmq_transport import (
    Access,
    Grant,
    IpcEndpoint,
    KeyPair,
    Ports,
    Proxy,
    ProxyKeys,
    Settings,
    TcpEndpoint,
)
from zmq_transport.proxy import proxy as shell
from zmq_transport.sockets.carriers import DEFAULT_CARRIER


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def tell(news):
    say("news", news.kind.name.lower(), news.term, *news.urls)


def answer(proxy):
    for line in sys.stdin:
        word, _, rest = line.strip().partition(" ")
        if word == "access":
            proxy.use_access(access_of(json.loads(rest)))
        elif word == "stall":
            stall(proxy, float(rest))
        else:
            say("counts", line.strip(), json.dumps(dict(proxy.engine.counts)))


def stall(proxy, seconds):
    """Let the next tick of its loop take so long."""
    tick = proxy.engine.tick

    def slow_tick(now_s):
        proxy.engine.tick = tick
        say("stalled")
        time.sleep(seconds)
        return tick(now_s)

    proxy.engine.tick = slow_tick


def access_of(told):
    """Return the `Access` of JSON: users by key in hex, and their grants as arguments."""
    users = {bytes.fromhex(key): name for key, name in told["users"].items()}
    return Access(users, {name: grant_of(each) for name, each in told["grants"].items()})


def grant_of(told):
    """Return a `Grant`: its lists are sets, those of globs and words tuples."""
    ordered = {"dispatches", "serves", "may"}
    made = {
        name: (tuple if name in ordered else frozenset)(value) if isinstance(value, list) else value
        for name, value in told.items()
    }
    return Grant(**made)


def keys_of(told):
    pair = KeyPair(bytes.fromhex(told["public"]), bytes.fromhex(told["secret"]))
    return ProxyKeys(pair, access_of(told))


def main(
    port,
    host="127.0.0.1",
    carrier=None,
    ipc=None,
    ipc_mode=0o600,
    keys=None,
    behind_s=shell.BEHIND_S,
    peers=(),
    **settings,
):
    shell.BEHIND_S = behind_s
    ports = Ports(port, port + 2, port + 3) if port else Ports()
    carrier = carrier or os.environ.get("COSMO_CARRIER") or DEFAULT_CARRIER
    where = {"ipc": IpcEndpoint(ipc) if ipc else None, "ipc_mode": ipc_mode}
    secured = {"keys": keys_of(keys) if keys else None, "carrier": carrier}
    others = {"peers": [TcpEndpoint(*each) for each in peers], "on_news": tell}
    with Proxy(host, ports, Settings(**settings), **where, **secured, **others) as proxy:
        signal.signal(signal.SIGTERM, lambda *_: proxy.ask_to_stop())
        threading.Thread(target=answer, args=(proxy,), daemon=True).start()
        say("listening", proxy.ports.directed, proxy.ports.listen, proxy.ports.publish)
        proxy.run()


if __name__ == "__main__":
    main(int(sys.argv[1]), **json.loads(sys.argv[2] if len(sys.argv) > 2 else "{}"))
