"""A caller on a plain socket: `python far_caller.py HOST PORT NAMESPACE COUNT SIZE`.

It sends COUNT tasks of SIZE bytes to the seat `deaf` and prints `sent`, and for each end of one
`replied` or `lost`.
"""

import sys

from deaf_worker import DeafWorker, say

from zmq_transport import Verb
from zmq_transport.wire import heads

TTL_MS = 120_000


def main(host, port, namespace, count, size):
    caller = DeafWorker(host, port)
    caller.say_hello(namespace)
    for number in range(count):
        task = number.to_bytes(16, "big")
        fields = {"number": TTL_MS, "task": task, "trace": task}
        head = heads.pack(Verb.TASK, size, address=heads.address_of("deaf"), **fields)
        caller.send(head, bytes(size))
    say("sent")
    while True:
        say({Verb.REPLY: "replied", Verb.LOST: "lost"}[caller.read_one(Verb.REPLY, Verb.LOST)])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], *map(int, sys.argv[4:]))
