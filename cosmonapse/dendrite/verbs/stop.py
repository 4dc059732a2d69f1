"""The verbs that stop a whole trace."""

from __future__ import annotations

from ...signals import Signal
from ..caller.dispatcher import checked_timeout
from .base import DendriteBase


class StopVerbs(DendriteBase):
    """What a Dendrite inherits to stop traces with."""

    async def stop_trace(
        self,
        trace_id: str,
        rollback: bool = False,
        reason: str | None = None,
        collect_acks: bool = False,
        timeout_s: float = 1.0,
    ) -> list[Signal]:
        """Cancel all that runs or waits on a trace, whoever asked for it and wherever it runs.

        Whoever waits for one of its tasks gets ERROR `CANCELLED`. What is dispatched on the trace
        while it is being stopped may be cancelled too; with `collect_acks` that is over when this
        returns. Another stop of the same trace does no harm.

        Args:
            trace_id: The workflow.
            rollback: Whether Axons that have a `rollback_fn` shall undo what was cancelled.
            reason: For people.
            collect_acks: Whether to wait for the STOPPED of every Dendrite that hosts Axons.
            timeout_s: How long to wait for them, over 0.

        Returns:
            The STOPPEDs that came in time; which ones is left to chance without `collect_acks`.

        Raises:
            BadSignal: `trace_id` is no id.
            ValueError: `timeout_s` makes no sense.
            UnencodableValue: `reason` is nothing that a Signal can carry.
            SignalTooLarge: The STOP is over the limit.
            SynapseUnreachable: The Synapse does not answer within 5 s; our own tasks of the trace
                are taken back all the same.
            DendriteProtocolError: Not running.
        """
        self._check_running()
        checked_timeout(timeout_s)
        stop = self._stop_sender.stop_signal(trace_id, rollback, reason, collect_acks)
        return await self._stop_sender.stop(stop, timeout_s)

    async def emit_stop(
        self, trace_id: str, rollback: bool = False, reason: str | None = None
    ) -> Signal:
        """Publish a STOP and return it; wait for nothing, take nothing of our own back.

        Raises:
            BadSignal: `trace_id` is no id.
            UnencodableValue: `reason` is nothing that a Signal can carry.
            SignalTooLarge: It is over the limit.
            DendriteProtocolError: Not running.
        """
        self._check_running()
        stop = self._stop_sender.stop_signal(trace_id, rollback, reason)
        self._publisher.publish(stop)
        return stop
