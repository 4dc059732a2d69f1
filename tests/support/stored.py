"""A Pathway by hand: its Signals are put in one by one, and only the newest are stored.

stored = StoredPathway(most=10)
reader = stored.reader()
stored.think(100)
stored.end()
"""

from cosmonapse.dendrite.caller.signal_buffer import SignalBuffer
from cosmonapse.edge.reader import SignalReader
from cosmonapse.ids import new_trace_id
from cosmonapse.signals import Signal, SignalType


class StoredPathway:
    """What reads as a Pathway.

    Args:
        most: How many Signals are stored.
    """

    def __init__(self, most):
        self.closed = False
        self.thought_count = 0
        self.trace_id = new_trace_id()
        self._buffer = SignalBuffer(most)

    def reader(self):
        """Return a reader that has looked once, so that it misses what is dropped from now on."""
        reader = SignalReader(self)
        reader._position()
        return reader

    def think(self, count=1, kind=None):
        """Receive so many more thoughts, which are the numbers from 0 on."""
        for _ in range(count):
            payload = {"delta": f"{self.thought_count} "}
            self._add(SignalType.THOUGHT_DELTA, payload | ({} if kind is None else {"kind": kind}))
            self.thought_count += 1

    def lose(self, count):
        """Lose so many thoughts on their way."""
        if count:
            self._buffer.lose(count)
            self.thought_count += count

    def end(self, **output):
        """Receive the output."""
        self._add(SignalType.AGENT_OUTPUT, {"output": output or {"response": "all"}})
        self.closed = True

    def cursor(self):
        return self._buffer.cursor(is_loop=True)

    async def next_of(self, cursor):
        signal = cursor.next()
        assert signal is not None or self.closed, "a test waits for a Signal that never comes"
        return signal

    async def close(self):
        pass

    def _add(self, kind, payload):
        self._buffer.append(Signal(type=kind, payload=payload, trace_id=self.trace_id), 10)
