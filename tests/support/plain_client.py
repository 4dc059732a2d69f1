"""A caller written from docs/spec, with the standard library alone.

`python plain_client.py PORT NAMESPACE` sends three TASKs to the neuron `worker` and survives the
end of the Synapse. It prints `sent`, `welcomed` at each WELCOME, and `answer` with the number of
the TASK for each reply that settles.
"""

import hashlib
import itertools
import os
import socket
import struct
import sys
import time

GREETING = b"\xff" + bytes(7) + b"\x01\x7f\x03\x01" + b"NULL".ljust(20, b"\0") + bytes(32)
MORE, LONG, COMMAND = 1, 2, 4
HELLO, WELCOME, WHO, TASK, REPLY, LOST, RESEND, WORKERS = 1, 2, 4, 10, 11, 14, 16, 19
SETTLES, OPEN, END, FIRST, LAST, LEFT = 1, 0, 1, 1, 2, 4
ITEM = struct.Struct(">BBBI16s16sI")
DIGITS = "0123456789abcdefghijklmnopqrstuv"
NONE = bytes(16)
TASKS = 3
TIME_S = 60.0


def packed(value):
    """Return a value as msgpack: as much as a HELLO and a TASK need."""
    if isinstance(value, list):
        return bytes((0x90 | len(value),)) + b"".join(map(packed, value))
    if isinstance(value, dict):
        pairs = itertools.chain.from_iterable(value.items())
        return bytes((0x80 | len(value),)) + b"".join(map(packed, pairs))
    return packed_leaf(value)


def packed_leaf(value):
    if isinstance(value, str):
        text = value.encode()
        return (bytes((0xA0 | len(text),)) if len(text) < 32 else b"\xd9%c" % len(text)) + text
    if isinstance(value, bytes):
        return b"\xc4%c" % len(value) + value
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if value is None or value is True:
        return b"\xc3" if value else b"\xc0"
    return bytes((value,))  # no int here is over 127


def id_text(data):
    """Return 16 bytes as 26 digits of base 32."""
    number = int.from_bytes(data, "big")
    return "".join(DIGITS[number >> 5 * place & 31] for place in reversed(range(26)))


def frame(flags, body):
    if len(body) < 256:
        return bytes((flags, len(body))) + body
    return bytes((flags | LONG,)) + len(body).to_bytes(8, "big") + body


def command(name, data):
    return frame(COMMAND, bytes((len(name),)) + name + data)


def message(items, address=b""):
    """Return a directed message of (verb, kind, number, task, trace, body) items."""
    head = b"\x01\0" + NONE + bytes((len(items),))
    for verb, kind, number, task, trace, body in items:
        head += ITEM.pack(verb, 0, kind, number, task, trace, len(body))
    return frame(MORE, head + address) + frame(0, b"".join(item[-1] for item in items))


class Connection:
    """One connection to the directed port. Spec: docs/spec/10-zmtp.md."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), 1.0)
        self._socket.settimeout(TIME_S)
        kind = b"\x0bSocket-Type" + len(b"DEALER").to_bytes(4, "big") + b"DEALER"
        self.send(GREETING + command(b"READY", kind))
        self._read(len(GREETING))
        self._frame()  # its READY
        self.send(frame(0, b""))  # the probe

    def send(self, data):
        self._socket.sendall(data)

    def message(self):
        """Return the frames of the next message; answer every PING before it."""
        frames = []
        while True:
            flags, body = self._frame()
            if flags & COMMAND:
                if body[1:5] == b"PING":
                    self.send(command(b"PONG", body[7:]))
                continue
            frames.append(body)
            if not flags & MORE:
                return frames

    def _frame(self):
        flags = self._read(1)[0]
        size = int.from_bytes(self._read(8 if flags & LONG else 1), "big")
        return flags, self._read(size)

    def _read(self, size):
        data = b""
        while len(data) < size:
            some = self._socket.recv(size - len(data))
            if not some:
                raise ConnectionError("closed")
            data += some
        return data


class OpenTask:
    """A TASK that waits for its end."""

    def __init__(self, number):
        self.number = number
        self.task = os.urandom(16)
        self.next_index = 0
        self.until_s = time.monotonic() + TIME_S
        ids = ["evt_" + id_text(self.task), "trc_" + id_text(self.task), None]
        envelope = [["worker", "neuron", []], time.time(), {"input": {"n": number}}, {}]
        self.body = packed(["1", *ids, 1, *envelope])

    @property
    def left_ms(self):
        return max(1, int((self.until_s - time.monotonic()) * 1000))


class Caller:
    """The state of the client. Spec: docs/spec/02-session.md and docs/spec/09-resync.md."""

    def __init__(self, namespace):
        self.namespace = namespace
        self.secret = os.urandom(16)
        self.epoch = b""
        self.workers = set()
        self.former = set()  # kept for good, which names too many and so is safe
        self.open = {each.task: each for each in map(OpenTask, range(TASKS))}
        self.connection = None

    def run(self, port):
        while self.open:
            try:
                self.connection = Connection(port)
                while self.open:
                    self.on_message(self.connection.message())
            except OSError:
                time.sleep(0.05)  # the Synapse is away: try again

    def on_message(self, frames):
        head, body = frames
        at = 0
        for fields in ITEM.iter_unpack(head[19 : 19 + ITEM.size * head[18]]):
            verb, flags, kind, number, task, _, size = fields
            part, at = body[at : at + size], at + size
            if verb == WHO:
                self.say_hello()
            elif verb == WORKERS:
                self.on_workers(kind, part)
            elif verb == WELCOME:
                self.on_welcome(part)
            elif verb == REPLY:
                self.on_reply(task, number, flags)
            elif verb == LOST:
                assert part == b"not_started", part
                self.send_task(self.open[task])

    def say_hello(self):
        instance = hashlib.blake2b(self.secret, digest_size=16, person=b"instance").digest()
        fields = {"secret": self.secret, "instance": instance, "namespace": self.namespace}
        fields |= {"name": "plain", "epoch": self.epoch, "calls": True}
        self.connection.send(message([(HELLO, 0, 0, NONE, NONE, packed(fields))]))

    def on_workers(self, bits, part):
        ids = {part[at : at + 16] for at in range(0, len(part), 16)}
        if bits & LEFT:
            self.workers -= ids
            self.former -= ids
            return
        if bits & FIRST:
            self.former |= self.workers
            self.workers = set()
        self.workers |= ids

    def on_welcome(self, part):
        is_first = not self.epoch
        self.epoch = part.partition(b"\xa5epoch\xc4\x10")[2][:16]
        if is_first:
            for each in self.open.values():
                self.send_task(each)
            say("sent")
        else:
            self.list_open_tasks()
        say("welcomed")

    def list_open_tasks(self):
        known = b"".join(self.workers | self.former)
        items = [
            (RESEND, OPEN, each.left_ms, each.task, each.task, each.next_index.to_bytes(4, "big"))
            for each in self.open.values()
        ]
        self.connection.send(message([(WORKERS, FIRST | LAST, 0, NONE, NONE, known)]))
        self.connection.send(message([*items, (RESEND, END, 0, NONE, NONE, b"")]))

    def send_task(self, opened):
        item = TASK, 1, opened.left_ms, opened.task, opened.task, opened.body
        self.connection.send(message([item], b"worker"))

    def on_reply(self, task, index, flags):
        opened = self.open.get(task)
        if opened is None or index < opened.next_index:
            return  # a repeated one
        opened.next_index = index + 1
        if flags & SETTLES:
            del self.open[task]
            say("answer", opened.number)


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    Caller(sys.argv[2]).run(int(sys.argv[1]))
