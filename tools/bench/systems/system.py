"""A system under test: its name, whether it is here, and how to run it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import attrs


class Asked(Protocol):
    """A process that does something when asked; `begin` and `end` are the halves of `ask`."""

    def ask(self, verb: str, *arguments: Any, timeout_s: float = 60.0) -> Any:
        """Send an order and return the result."""

    def begin(self, verb: str, *arguments: Any) -> None:
        """Send an order and return at once."""

    def end(self, timeout_s: float = 60.0) -> Any:
        """Return the result of the order."""


SETTLES_S = 0.5
"""How long to wait for bare PUB and SUB sockets to know each other: nothing tells."""

Running = AbstractContextManager[Sequence[Asked]]


@attrs.frozen
class System:
    """One system that can carry a call and its reply.

    Args:
        name: Its name for programs, and on the command line.
        label: Its name in tables.
        missing: Returns the packages to install, or None when all are present.
        calls: Runs that many pairs of caller and worker and gives the callers, each of which
            answers `load(outstanding, seconds, payload_bytes)` with a `Sample`; None if it cannot.
        fanout: Runs a publisher and that many subscribers and gives the publisher, which answers
            `publish(seconds, burst)` with a `Fan`; None if it cannot.
        streams: Runs a worker that streams and a caller, and gives the caller, which answers
            `stream(count)` with a `Sample` of the times between tokens, and
            `paced(streams, tokens_per_s, seconds)` with a `Sample` of the delays of tokens; None if
            it cannot.
        most_pairs: How many pairs it can have.
        is_limit: Whether it is the limit of the machine, not an alternative.
    """

    name: str
    label: str
    missing: Callable[[], str | None]
    calls: Callable[[int], Running] | None = None
    fanout: Callable[[int], Running] | None = None
    streams: Callable[[], Running] | None = None
    most_pairs: int = 64
    is_limit: bool = False
