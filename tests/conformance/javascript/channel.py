"""The line to a subject: a node process that hosts transports and Dendrites written in JavaScript.

A call is a JSON line, and so is its end. A call that must return at once waits for its end with
the event loop blocked; what arrives meanwhile is delivered on the loop afterwards, never within the
call. A question of the subject is answered wherever this process is: on the loop behind every event
before it, or in the middle of a call. clients/javascript/subject/channel.js has the form of a line.
"""

import asyncio
import collections
import itertools
import json
import selectors
import socket
import subprocess

from support.node import CLIENT, node_or_skip

from .errors import error_of
from .values import from_json, to_json

SUBJECT = CLIENT / "subject" / "subject.js"
CALL_S = 60.0
_CHUNK = 1 << 20


class SubjectEnded(AssertionError):
    """The subject went away, or answered nothing in time."""


class Line:
    """One end of a socket that carries JSON lines."""

    def __init__(self, sock):
        self.socket = sock
        self._parts = []

    def received(self):
        """Return the messages that one read completes; raise SubjectEnded at the end."""
        try:
            data = self.socket.recv(_CHUNK, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return []  # a call that was made in between has read it
        if not data:
            raise SubjectEnded("the subject ended: its stderr says why")
        *lines, rest = data.split(b"\n")
        messages = []
        for line in lines:
            messages.append(json.loads(b"".join([*self._parts, line])))
            self._parts = []
        if rest:
            self._parts.append(rest)
        return messages


class Channel:
    """A subject and the line to it."""

    def __init__(self):
        node = node_or_skip()
        ours, theirs = socket.socketpair()
        asked, asks = socket.socketpair()
        command = [node, SUBJECT, str(theirs.fileno()), str(asks.fileno())]
        fds = (theirs.fileno(), asks.fileno())
        self._process = subprocess.Popen(
            command, cwd=CLIENT, pass_fds=fds, stdin=subprocess.DEVNULL
        )
        theirs.close()
        asks.close()
        ours.setblocking(False)
        self._calls, self._questions = Line(ours), Line(asked)
        self._selector = selectors.DefaultSelector()
        self._selector.register(ours, selectors.EVENT_READ)
        self._selector.register(asked, selectors.EVENT_READ)
        self._numbers = itertools.count(1)
        self._handles = itertools.count(1)
        self._receivers = {}
        self._ends = {}
        self._waiting = {}
        self._events = collections.deque()
        self._asked = collections.deque()
        self._event_count = 0
        self._loop = None
        self.is_killed = False

    # -- calls -----------------------------------------------------------------------------------

    def new_handle(self, receiver):
        """Return a handle whose events and questions go to the methods of `receiver`."""
        handle = next(self._handles)
        self._receivers[handle] = receiver
        return handle

    def call(self, handle, method, *arguments):
        """Call a method of the subject, and wait for its end with the loop blocked."""
        number = self._send(handle, method, arguments)
        while number not in self._ends:
            self._answer_all()
            self._select()
        self._deliver_soon()
        return self._result(self._ends.pop(number))

    async def begin(self, handle, method, *arguments):
        """Call a method of the subject, and wait for its end on the loop."""
        self.attach()
        future = self._loop.create_future()
        number = self._send(handle, method, arguments, future)
        try:
            return await future
        finally:
            self._waiting.pop(number, None)

    def begin_alone(self, handle, method, *arguments):
        """Call a method of the subject whose end nobody waits for."""
        future = self._loop.create_future()
        future.add_done_callback(lambda done: done.exception())
        self._send(handle, method, arguments, future)

    def _send(self, handle, method, arguments, future=None):
        number = next(self._numbers)
        if future is not None:
            self._waiting[number] = future
        line = json.dumps([number, handle, method, *map(to_json, arguments)]).encode() + b"\n"
        left = memoryview(line)
        while left:
            try:
                left = left[self._calls.socket.send(left) :]
            except BlockingIOError:
                self._await_room()
            except OSError as error:
                raise SubjectEnded("the subject ended: its stderr says why") from error
        return number

    @staticmethod
    def _result(end):
        kind, value = end
        if kind == "!":
            raise error_of(from_json(value))
        return from_json(value)

    # -- what comes ------------------------------------------------------------------------------

    def attach(self):
        """Deliver on the running loop from now on."""
        loop = asyncio.get_running_loop()
        if loop is self._loop:
            return
        self.detach()
        self._loop = loop
        loop.add_reader(self._calls.socket, self._on_readable)
        loop.add_reader(self._questions.socket, self._on_question)
        self._deliver_soon()

    def detach(self):
        """Leave the loop that this was attached to."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._calls.socket)
            self._loop.remove_reader(self._questions.socket)
        self._loop = None

    def _await_room(self):
        self._selector.modify(self._calls.socket, selectors.EVENT_READ | selectors.EVENT_WRITE)
        self._select()
        self._selector.modify(self._calls.socket, selectors.EVENT_READ)

    def _select(self):
        ready = self._selector.select(CALL_S)
        if not ready:
            raise SubjectEnded(f"the subject did not answer within {CALL_S:g} s")
        for key, events in ready:
            if key.fileobj is self._questions.socket:
                self._asked.extend(self._questions.received())
                self._answer_all()
            elif events & selectors.EVENT_READ:
                self._take()

    def _take(self):
        for kind, first, *rest in self._calls.received():
            if kind == ">":
                self._event_count += 1
                self._events.append((first, *rest))
            elif first in self._waiting:
                self._events.append((self._waiting.pop(first), kind, rest[0]))
            else:
                self._ends[first] = kind, rest[0]

    def _on_readable(self):
        self._take()
        self._deliver()

    def _deliver_soon(self):
        if self._events and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon(self._deliver)

    def _deliver(self):
        while self._events:
            target, name, *arguments = self._events.popleft()
            if isinstance(target, asyncio.Future):
                _settle(target, name, arguments[0])
            elif receiver := self._receivers.get(target):
                getattr(receiver, name)(*map(from_json, arguments))

    def _on_question(self):
        self._asked.extend(self._questions.received())
        while self._asked and self._event_count < self._asked[0][0]:
            selectors_ready(self._calls.socket)
            self._take()
        self._deliver()  # a handler that makes a call answers the question first
        self._answer_all()

    def _answer_all(self):
        while self._asked:
            _, handle, name, *arguments = self._asked.popleft()
            value = getattr(self._receivers[handle], name)(*map(from_json, arguments))
            self._questions.socket.sendall(json.dumps(to_json(value)).encode() + b"\n")

    def kill(self):
        """End the subject with a kill -9; its transports say nothing more here."""
        self._process.kill()
        self._process.wait()
        self.detach()
        self.is_killed = True

    def close(self):
        """End the subject."""
        self.detach()
        self._selector.close()
        for line in (self._calls, self._questions):
            line.socket.close()
        self._process.kill()
        self._process.wait()


def selectors_ready(sock):
    """Wait until a socket can be read."""
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        if not selector.select(CALL_S):
            raise SubjectEnded(f"the subject said nothing within {CALL_S:g} s")


def _settle(future, kind, value):
    if future.done() or future.get_loop().is_closed():
        return
    if kind == "!":
        future.set_exception(error_of(from_json(value)))
    else:
        future.set_result(from_json(value))
