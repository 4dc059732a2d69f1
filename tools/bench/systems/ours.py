"""This fabric, with everything that its users get: deadlines, ledger, de-duplication, presence.

Fan-out is a broadcast Signal with a handler of its type on each Dendrite.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from cosmonapse.bench import ends
from cosmonapse.bench.children import Child
from cosmonapse.bench.fan import shares

from ..fabric import NAMESPACE, running_synapse
from .system import Asked, System


def missing() -> str | None:
    """Return None: nothing needs to be installed."""
    return None


@contextmanager
def running(pairs: int) -> Iterator[Sequence[Asked]]:
    """Run the Synapse and pairs; give the callers."""
    with ExitStack() as stack:
        _, url = stack.enter_context(running_synapse())
        for pair in range(pairs):
            stack.enter_context(Child(ends.worker, url, NAMESPACE, pair))
        yield [
            stack.enter_context(Child(ends.caller, url, NAMESPACE, pair)) for pair in range(pairs)
        ]


@contextmanager
def streaming() -> Iterator[Sequence[Asked]]:
    """Run the Synapse, a worker that streams and a caller; give the caller."""
    with running(1) as callers:
        yield callers


@contextmanager
def fanning(subscribers: int) -> Iterator[Sequence[Asked]]:
    """Run the Synapse, a publisher and subscribers; give the publisher."""
    with ExitStack() as stack:
        _, url = stack.enter_context(running_synapse())
        publisher = stack.enter_context(Child(ends.publisher, url, NAMESPACE, subscribers))
        for process, count in enumerate(shares(subscribers)):
            stack.enter_context(
                Child(ends.subscribers, url, NAMESPACE, publisher.ready, process, count)
            )
        yield [publisher]


SYSTEM = System("fabric", "cosmonapse", missing, running, fanning, streaming)
