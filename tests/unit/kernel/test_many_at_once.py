"""The kernel under several threads, and in a child that was forked within a lease of ids."""

import subprocess
import sys
import threading

from cosmonapse import kernel

THREADS, EACH = 8, 2_000
FORKED = """
import os
from cosmonapse import kernel
from cosmonapse.ids import new_event_id

def made():
    tasks = [kernel.encode_task(b"\\xc0", None, 0.0)[1][4:34].decode() for _ in range(1500)]
    return [*tasks, *(new_event_id() for _ in range(500))]

made()
reader, writer = os.pipe()
if os.fork() == 0:
    os.write(writer, " ".join(made()).encode())
    os._exit(0)
os.close(writer)
ours = made()
with open(reader) as lines:
    theirs = lines.read().split()
os.wait()
assert len(theirs) == len(ours) == 2000
assert not {*theirs} & {*ours}
"""


def test_threads_do_not_disturb_each_other():
    bodies = {}

    def make(name):
        text = f"of thread {name}" * 100
        for number in range(EACH):
            _, body = kernel.encode_task(b"\xc0", {"text": text, "n": number}, 1.0)
            assert kernel.decode_signal(body).payload == {"input": {"text": text, "n": number}}
            bodies[name, number] = body[4:34]

    threads = [threading.Thread(target=make, args=(name,)) for name in range(THREADS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert len({*bodies.values()}) == len(bodies) == THREADS * EACH


def test_a_forked_child_makes_other_ids():
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stderr
