"""This fabric on a nats-server, and what it is compared with."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ..started import router
from . import keyed, nats, ours
from .system import Asked, System


@contextmanager
def running(pairs: int) -> Iterator[Sequence[Asked]]:
    """Run a nats-server, a Synapse on it, and pairs; give the callers."""
    with (
        nats.running_server() as (_, url),
        router(url),
        keyed.pairs_at(pairs, url, {}) as callers,
    ):
        yield callers


OVER_NATS = System("over_nats", "cosmonapse, nats://", nats.missing, running)
PURE_LIBZMQ = System(
    "pure_libzmq",
    "cosmonapse, libzmq, COSMO_PURE=1",
    ours.missing,
    functools.partial(keyed.without, carrier="libzmq", pure=True),
)
