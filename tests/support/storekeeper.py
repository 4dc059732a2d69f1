"""A process that writes into a registry store: `python storekeeper.py PATH PREFIX COUNT`.

It prints `ready`, waits for a line on stdin, then writes COUNT records (0: without end) and prints
`wrote` and the number of each, once it is written.
"""

import itertools
import sys

from cosmonapse import NeuronRecord, SqliteRegistryStore


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def main(path, prefix, count):
    with SqliteRegistryStore(path, max_records=1_000_000) as store:
        say("ready")
        sys.stdin.readline()
        for number in range(count) if count else itertools.count():
            store.upsert(NeuronRecord(neuron_id=f"{prefix}-{number}"))
            store.touch_heartbeat("shared", running=number)
            say("wrote", number)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
