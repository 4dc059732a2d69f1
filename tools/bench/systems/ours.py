"""This fabric, with everything that its users get: deadlines, ledger, de-duplication, presence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from .. import fabric
from ..children import Child
from .system import Asked, System


def missing() -> str | None:
    """Say what to install: nothing."""
    return None


@contextmanager
def running(pairs: int) -> Iterator[Sequence[Asked]]:
    """Run the Synapse and pairs; give the callers."""
    with ExitStack() as stack:
        _, url = stack.enter_context(fabric.running_synapse())
        for pair in range(pairs):
            stack.enter_context(Child(fabric.worker, url, False, pair))
        yield [
            stack.enter_context(Child(fabric.caller, url, False, 0, pair)) for pair in range(pairs)
        ]


SYSTEM = System("fabric", "cosmonapse", missing, running)
