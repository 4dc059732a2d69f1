"""This fabric with metrics: both ends count each task, and nobody scrapes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from typing import Any

from prometheus_client import CollectorRegistry

from cosmonapse import Dendrite
from cosmonapse.bench import ends
from cosmonapse.bench.children import Child
from cosmonapse.metrics import register_metrics

from ..fabric import NAMESPACE, running_synapse
from . import ours
from .system import Asked, System


def metered(connection: Connection, body: Callable[..., None], *arguments: Any) -> None:
    """Do the work of an end, whose Dendrite is registered."""
    joined = ends.joined

    async def registered(url: str, namespace: str, name: str) -> Dendrite:
        dendrite = await joined(url, namespace, name)
        register_metrics(dendrite, CollectorRegistry())
        return dendrite

    ends.joined = registered
    body(connection, *arguments)


@contextmanager
def running(pairs: int) -> Iterator[Sequence[Asked]]:
    """Run the Synapse and pairs; give the callers."""
    with ExitStack() as stack:
        _, url = stack.enter_context(running_synapse())

        def start(body: Callable[..., None], pair: int) -> Child:
            return stack.enter_context(Child(metered, body, url, NAMESPACE, pair))

        for pair in range(pairs):
            start(ends.worker, pair)
        yield [start(ends.caller, pair) for pair in range(pairs)]


SYSTEM = System("metered", "cosmonapse, metrics", ours.missing, running)
