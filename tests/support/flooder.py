"""A client that floods: `python flooder.py PORT NAMESPACE RATE`, the RATE in messages a second.

It sends a valid HELLO, prints `flooding`, and sends meaningless messages until a line comes on
stdin; then it prints `sent`, how many messages and in how many seconds.
"""

import select
import sys
import time

from support.stranger import stranger
from zmq_transport import Verb
from zmq_transport.wire import heads

_BATCH = 200


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def main(port, namespace, rate):
    with stranger(port) as rude:
        rude.joins(namespace)
        head = heads.pack(Verb.CANCEL, task=bytes(16), trace=bytes(16))  # of a task that is none
        say("flooding")
        began_s, sent = time.monotonic(), 0
        while not select.select([sys.stdin], [], [], 0)[0]:
            for _ in range(_BATCH):
                rude.send(head, b"")
            sent += _BATCH
            early_s = began_s + sent / rate - time.monotonic()
            if early_s > 0:
                time.sleep(early_s)
        say("sent", sent, time.monotonic() - began_s)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
