"""Sources of Axons: what brings Axons to a Dendrite, and takes them away again. Pure.

A source is one object with `supply`. The Dendrite runs it as long as it hosts it, and cancels it at
its own end, after the tasks of its Axons.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from .axon import Axon

Show = Callable[[Sequence[Axon]], Awaitable[None]]
"""Hosts exactly these Axons of a source from now on, and returns when that is done."""


@runtime_checkable
class AxonSource(Protocol):
    """Brings Axons to a Dendrite, for `dendrite.add_source`.

    Attributes:
        counts: Its counters by name, which become part of those of the Dendrite.
    """

    @property
    def counts(self) -> Mapping[str, int]:
        """The counters by name."""

    async def supply(self, show: Show) -> None:
        """Show all Axons there are now, and again whenever these change, until it is cancelled.

        An Axon object that is shown again stays as it is; a new object with the same id takes its
        place. `show([])` takes all away for as long as nothing stands behind them. What this raises
        before the first `show` returns is raised by `add_source`; later it is logged, and the Axons
        are taken away. `show` raises only in its first call, if an Axon cannot be hosted.
        """
