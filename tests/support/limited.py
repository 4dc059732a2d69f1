"""A Synapse whose limits a test sets: `python limited.py PORT LIMITS`, with the `Limits` as JSON.

`descriptors` among them is how many files this process may open. It prints `listening` and its URL;
to each line on stdin it answers `counts`, that line and its counters as JSON.
"""

import json
import resource
import signal
import sys
import threading

from cosmonapse.synapse.server import SynapseProcess


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def answer(synapse):
    for line in sys.stdin:
        say("counts", line.strip(), json.dumps(synapse.counts))


def main(port, limits):
    most = limits.pop("descriptors", None)
    if most is not None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    synapse = SynapseProcess(port=port, **limits)
    signal.signal(signal.SIGTERM, lambda *_: synapse.ask_to_stop())
    threading.Thread(target=answer, args=(synapse,), daemon=True).start()
    say("listening", synapse.url)
    synapse.run()


if __name__ == "__main__":
    main(int(sys.argv[1]), json.loads(sys.argv[2]))
