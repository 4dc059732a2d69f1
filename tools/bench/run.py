"""One run of the bench: how long, against whom, and whom to tell how far it is."""

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
        nobody_count: TASKs to nobody.
        start_count: Starts of a Dendrite.
        unwatched_count: Calls for each row of `unwatched`.
        pathway_count: Pathways of one batch.
    """

    seconds: float = 0.7
    rounds: int = 5
    nobody_count: int = 500
    start_count: int = 50
    unwatched_count: int = 1000
    pathway_count: int = 10_000


@attrs.frozen
class Run:
    """What a kind needs to know.

    Args:
        options: How long to measure.
        systems: The ones that are here, ours first.
        say: Tell that one more step is done.
    """

    options: Options
    systems: tuple[System, ...]
    say: Callable[[str], None]
