"""A proxy of the transport alone: `python proxy.py PORT [OPTIONS]`, with 0 for any free ports.

OPTIONS is JSON: `host`, `carrier`, and any of the `Settings`. It prints `listening` and its three
ports; to each line on stdin it answers `counts`, that line and its counters as JSON. SIGTERM lets
it drain.
"""

import json
import os
import signal
import sys
import threading

from zmq_transport import Ports, Proxy, Settings
from zmq_transport.sockets.carriers import DEFAULT_CARRIER


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def answer(proxy):
    for line in sys.stdin:
        say("counts", line.strip(), json.dumps(dict(proxy.engine.counts)))


def main(port, host="127.0.0.1", carrier=None, **settings):
    ports = Ports(port, port + 2, port + 3) if port else Ports()
    carrier = carrier or os.environ.get("COSMO_CARRIER") or DEFAULT_CARRIER
    with Proxy(host, ports, Settings(**settings), carrier=carrier) as proxy:
        signal.signal(signal.SIGTERM, lambda *_: proxy.ask_to_stop())
        threading.Thread(target=answer, args=(proxy,), daemon=True).start()
        say("listening", proxy.ports.directed, proxy.ports.listen, proxy.ports.publish)
        proxy.run()


if __name__ == "__main__":
    main(int(sys.argv[1]), **json.loads(sys.argv[2] if len(sys.argv) > 2 else "{}"))
