"""Callers in this process that ask without a pause, while the fabric on NATS is disturbed."""

import asyncio
import contextlib
import itertools
import time
from collections import Counter

from cosmonapse import Dendrite, NeuronError, connect_synapse

FOR_S = 0.02
OF_EACH = 2
TIMEOUT_S = 20.0


class Load:
    """A Dendrite in each namespace; each has some calls open all the time.

    Args:
        url: Where they connect.
        namespaces: One Dendrite each.
        address: Whom they ask: `neuron` or `capabilities`.

    Attributes:
        dendrites: The Dendrites, in the order of the namespaces.
        asked: How many calls were made.
        outcomes: How the calls ended: `ok`, the code of an ERROR, or the name of an exception.
        longest_s: The time of the longest call.
    """

    def __init__(self, url, namespaces, **address):
        self._url = url
        self._namespaces = namespaces
        self._address = address
        self._numbers = itertools.count()
        self.asked = 0
        self.outcomes = Counter()
        self.longest_s = 0.0

    async def __aenter__(self):
        async with contextlib.AsyncExitStack() as stack:
            synapse = await connect_synapse(self._url)
            self.dendrites = []
            for each in self._namespaces:
                dendrite = Dendrite(synapse=synapse, namespace=each)
                self.dendrites.append(await stack.enter_async_context(dendrite))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *error):
        await self._stack.aclose()

    async def ask(self, dendrite, for_s=FOR_S):
        """Ask once; return the output, or None, with the outcome counted."""
        self.asked += 1
        began_s = time.perf_counter()
        output = None
        try:
            given = {"id": next(self._numbers), "for_s": for_s}
            output = await dendrite.ask(**self._address, input=given, timeout_s=TIMEOUT_S)
            outcome = "ok"
        except NeuronError as error:
            outcome = error.code
        except Exception as error:  # noqa: BLE001  # whatever it is, it is counted
            outcome = type(error).__name__
        self.outcomes[outcome] += 1
        self.longest_s = max(self.longest_s, time.perf_counter() - began_s)
        return output

    @contextlib.asynccontextmanager
    async def under_way(self):
        """Ask all the time inside the block; every call has ended behind it."""
        over = asyncio.Event()

        async def go_on(dendrite):
            while not over.is_set():
                await self.ask(dendrite)

        async with asyncio.TaskGroup() as group:
            for dendrite in self.dendrites * OF_EACH:
                group.create_task(go_on(dendrite))
            await self.more()
            yield
            await self.more()
            over.set()

    async def more(self, calls=100):
        """Return when so many more calls have ended."""
        until = self.outcomes.total() + calls
        end_s = time.perf_counter() + TIMEOUT_S
        while self.outcomes.total() < until:
            assert time.perf_counter() < end_s, f"no more calls end: {self.outcomes}"
            await asyncio.sleep(0.01)
