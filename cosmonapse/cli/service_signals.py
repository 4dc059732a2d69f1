"""How a Synapse as a process ends at a signal, and reports to the service manager."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import Protocol

from ..registry import SynapseState
from ..runtime.sd_notify import ServiceManager
from ..telemetry.liveness import Judgement
from ..telemetry.service_reporter import ServiceReporter


class StoppableSynapse(Protocol):
    """What is needed of a Synapse, whatever carries it."""

    def state(self) -> SynapseState:
        """See `SynapseProcess`."""

    def ask_to_stop(self) -> None:
        """See `SynapseProcess`."""


def reporter_of(synapse: StoppableSynapse, judge: Callable[[float], Judgement]) -> ServiceReporter:
    """Return what reports to the service manager, if one started this process.

    Args:
        synapse: The Synapse.
        judge: Judges whether it does its work.
    """

    def status() -> str:
        state = synapse.state()
        return f"{state.role or 'serves'}: {state.connections} Dendrites, {state.open} open tasks"

    reporter = ServiceReporter(ServiceManager.taken_from(), judge, status, when_ok=True)
    reporter.start()
    return reporter


def stop_on_signals(synapse: StoppableSynapse, reporter: ServiceReporter) -> list[int]:
    """Let signals end a Synapse; return a list that gets the number of each."""
    received: list[int] = []

    def on_stop(number: int, frame: FrameType | None) -> None:
        received.append(number)
        reporter.stopping("ending")
        synapse.ask_to_stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_stop)
    return received
