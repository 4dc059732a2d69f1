"""The places of one Axon: the jobs that it runs and the jobs that wait for it. Pure."""

from __future__ import annotations

from collections import deque
from typing import Any, Generic, Protocol, TypeVar

from ...axon import Axon
from ...rate_limit import RateBucket, interval_of

J = TypeVar("J")


class Pool(Protocol):
    """Runs jobs."""

    def start(self, job: Any) -> None:
        """Run a job from the next turn of the loop on."""

    def close(self) -> None:
        """End every task that has no job."""


class Timer(Protocol):
    """A call of the loop that is due later."""

    def cancel(self) -> None:
        """Prevent it."""


class AxonSlots(Generic[J]):
    """One Axon with its jobs. Slots, because each TASK reads several of them.

    Attributes:
        axon: The Axon.
        producer: The producer of its Signals, as bytes.
        task_name: The name of the asyncio tasks and threads that run its function.
        detaching: True once it was deregistered.
        pool: Runs its jobs; None before the first one.
        running: The jobs that hold one of its `concurrency` places.
        queue: The jobs that wait for a place, oldest first.
        bucket: Says when the next job may begin; None without a rate limit.
        wake: Begins the next job when the bucket has a token.
    """

    __slots__ = (
        "axon",
        "bucket",
        "detaching",
        "pool",
        "producer",
        "queue",
        "running",
        "task_name",
        "wake",
    )

    def __init__(self, axon: Axon, producer: bytes) -> None:
        self.axon = axon
        self.producer = producer
        self.task_name = f"neuron {axon.neuron_id}"
        self.detaching = False
        self.pool: Pool | None = None
        self.running: set[J] = set()
        self.queue: deque[J] = deque()
        rate = axon.rate_limit
        self.bucket = None if rate is None else RateBucket(interval_of(rate))
        self.wake: Timer | None = None

    @property
    def has_place(self) -> bool:
        """Whether fewer jobs run than may."""
        return len(self.running) < self.axon.concurrency

    def may_begin(self, now_s: float) -> bool:
        """Return whether a job that arrives now need not wait."""
        if not self.has_place:
            return False
        return self.bucket is None or (not self.queue and self.bucket.wait_s(now_s) == 0.0)

    def load(self) -> tuple[int, int, int]:
        """Return how many jobs wait, run and could begin."""
        running = len(self.running)
        return len(self.queue), running, max(0, self.axon.concurrency - running)

    def admit(self, job: J) -> None:
        """Give a job a place, and the token of the bucket."""
        self.running.add(job)
        if self.bucket is not None:
            self.bucket.take()

    def why_waits(self) -> str:
        """Return what a job in the queue waits for, and what helps."""
        axon = self.axon
        if self.bucket is not None and self.has_place:
            return (
                f"it waited for the rate limit of Axon {axon.neuron_id} "
                f"(rate_limit={axon.rate_limit!r}); raise it, or start a replica"
            )
        bound = f"Axon {axon.neuron_id} (concurrency={axon.concurrency})"
        return f"it waited for a place of {bound}; raise concurrency, or start a replica"

    def retry_after_s(self, now_s: float) -> float | None:
        """Return when the rate limit makes room in the queue; None if that does not wait for it."""
        if self.bucket is None or not self.has_place:
            return None
        return min(self.bucket.wait_s(now_s), self.bucket.interval_s)

    def why_full(self) -> str:
        """Return why a job that arrives now is refused."""
        axon = self.axon
        if self.has_place:
            limit = f"at most {axon.rate_limit} begin"
        else:
            limit = f"{axon.concurrency} tasks run"
        return f"the queue of {axon.neuron_id} is full: {limit} and {axon.max_queued} wait"
