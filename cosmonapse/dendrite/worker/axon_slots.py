"""The places of one Axon: the jobs that it runs and the jobs that wait for it. Pure."""

from __future__ import annotations

from collections import deque
from typing import Any, Generic, Protocol, TypeVar

from ...axon import Axon

J = TypeVar("J")


class Pool(Protocol):
    """Runs jobs."""

    def start(self, job: Any) -> None:
        """Run a job from the next turn of the loop on."""

    def close(self) -> None:
        """End every task that has no job."""


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
    """

    __slots__ = ("axon", "detaching", "pool", "producer", "queue", "running", "task_name")

    def __init__(self, axon: Axon, producer: bytes) -> None:
        self.axon = axon
        self.producer = producer
        self.task_name = f"neuron {axon.neuron_id}"
        self.detaching = False
        self.pool: Pool | None = None
        self.running: set[J] = set()
        self.queue: deque[J] = deque()
