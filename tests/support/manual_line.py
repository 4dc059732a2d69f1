"""A line to NATS without a nats-server: a test says what happens, and sees what was said."""

import asyncio
from types import SimpleNamespace

NO_RESPONDERS = {"Status": "503"}


class ManualLine:
    """Takes the place of `NatsLine`.

    Attributes:
        sent: (subject, data, reply) of all that was published.
        takers: By subject, what takes its messages.
    """

    def __init__(self, place, name, events, ping_s=None, only=None, max_payload=1024 * 1024):
        self.place, self.name, self.events, self.ping_s = place, name, events, ping_s
        self.only, self.address = only, None
        self.max_payload = max_payload
        self.sent = []
        self.takers = {}
        self.is_connected = self.has_connected = self.is_started = self.is_closed = False
        self.attempts, self.last_error, self.waiting_bytes, self.slow = 0, "", 0, 0
        self.flushes = []
        self._inboxes = 0

    def start(self):
        self.is_started = True

    def close(self):
        self.is_connected, self.is_closed = False, True

    async def closed(self):
        pass

    def publish(self, subject, data, reply=""):
        if self.is_connected:
            self.sent.append((subject, bytes(data), reply))
        return self.is_connected

    def subscribe(self, subject, take):
        if not self.is_connected:
            return lambda: None
        self.takers[subject] = take
        return lambda: self.takers.pop(subject, None)

    def new_inbox(self):
        self._inboxes += 1
        return f"_INBOX.{self._inboxes}"

    async def flush(self):
        done = asyncio.get_running_loop().create_future()
        self.flushes.append(done)
        return await done

    # -- what a test does ------------------------------------------------------------------------

    def come_up(self):
        self.is_connected = self.has_connected = True
        self.events.on_up()

    def go_down(self, why="cut"):
        self.is_connected = False
        self.takers.clear()
        self.events.on_down(why)

    def deliver(self, subject, data=b"", headers=None):
        """Let a message arrive; False if nobody takes it."""
        take = self.takers.get(subject)
        if take is not None:
            take(SimpleNamespace(subject=subject, data=bytes(data), headers=headers, reply=""))
        return take is not None

    def taken(self):
        """Return what was published since the last call."""
        sent, self.sent = self.sent, []
        return sent
