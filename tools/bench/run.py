"""One run of the bench: its length, its systems and its progress report."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from .systems.system import System


@attrs.frozen
class Options:
    """How long to measure.

    Args:
        seconds: Length of one round of calls.
        rounds: Rounds of each system at each number of outstanding calls.
        nobody_count: TASKs to a Neuron without a worker.
        start_count: Starts of a Dendrite.
        unwatched_count: Calls for each row of `unwatched`.
        pathway_count: Pathways of one batch.
        token_count: Tokens of one stream.
        subscribers: The number of subscribers.
        pairs: How many callers work with as many workers.
        idle: How many Dendrites are connected and idle.
        registered: How many Neurons are registered.
    """

    seconds: float = 0.7
    rounds: int = 5
    nobody_count: int = 500
    start_count: int = 50
    unwatched_count: int = 1000
    pathway_count: int = 10_000
    token_count: int = 20_000
    subscribers: tuple[int, ...] = (1, 10, 50)
    pairs: tuple[int, ...] = (1, 4, 8)
    idle: tuple[int, ...] = (1000, 10_000)
    registered: tuple[int, ...] = (1, 10, 100, 1000)


QUICK = Options(
    seconds=0.2,
    rounds=1,
    nobody_count=100,
    start_count=10,
    unwatched_count=100,
    pathway_count=1000,
    token_count=5000,
    subscribers=(1, 10),
    pairs=(1, 4),
    idle=(100,),
)
# Does every kind run? The figures are worth nothing.
SMOKE = Options(
    seconds=0.05,
    rounds=1,
    nobody_count=20,
    start_count=3,
    unwatched_count=100,
    pathway_count=100,
    token_count=500,
    subscribers=(1,),
    pairs=(1,),
    idle=(20,),
    registered=(1, 10),
)


@attrs.frozen
class Run:
    """The context of a kind.

    Args:
        options: How long to measure.
        systems: The ones that are here, ours first.
        say: Report that one more step is done.
    """

    options: Options
    systems: tuple[System, ...]
    say: Callable[[str], None]
