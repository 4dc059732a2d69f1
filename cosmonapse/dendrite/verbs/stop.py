"""The verbs that stop a whole trace."""

from __future__ import annotations

from ...signals import Signal, SignalType
from ..caller.open_tasks import checked_timeout
from .base import DendriteBase, verb


class StopVerbs(DendriteBase):
    """The `stop` methods of a Dendrite."""

    @verb
    async def stop_trace(
        self,
        trace_id: str,
        rollback: bool = False,
        reason: str | None = None,
        collect_acks: bool = False,
        timeout_s: float = 1.0,
    ) -> list[Signal]:
        """Cancel all tasks of a trace, of every caller and at every worker.

        Each caller gets ERROR `CANCELLED`. A TASK that is dispatched on the trace during the stop
        may be cancelled too; with `collect_acks` that is over when this returns. Another stop of
        the same trace has no effect.

        Args:
            trace_id: The workflow.
            rollback: Whether Axons call their `rollback_fn` for each cancelled task.
            reason: A text for people.
            collect_acks: Whether to wait for the STOPPED of every Dendrite that hosts Axons.
            timeout_s: How long to wait for them, over 0.

        Returns:
            The STOPPEDs that arrived in time; without `collect_acks` it may be any of them.

        Raises:
            AccessRefused: The key of this Dendrite may not stop traces.
            BadSignal: `trace_id` is not an id.
            ValueError: `timeout_s` is invalid.
            UnencodableValue: `reason` is a value that no Signal can carry.
            SignalTooLarge: The STOP is over the limit.
            SynapseUnreachable: A Synapse of an older version does not answer within 5 s; our own
                tasks of the trace are cancelled all the same. Any other gets the STOP when it is
                back.
            DendriteProtocolError: Not running.
        """
        self._check_running()
        checked_timeout(timeout_s)
        self._subscriptions.own_rights.check_emit(SignalType.STOP)
        stop = self._stop_sender.stop_signal(trace_id, rollback, reason, collect_acks)
        return await self._stop_sender.stop(stop, timeout_s)

    @verb
    async def emit_stop(
        self, trace_id: str, rollback: bool = False, reason: str | None = None
    ) -> Signal:
        """Publish a STOP and return it at once; do not cancel our own open tasks.

        Raises:
            AccessRefused: The key of this Dendrite may not stop traces.
            BadSignal: `trace_id` is not an id.
            UnencodableValue: `reason` is a value that no Signal can carry.
            SignalTooLarge: It is over the limit.
            DendriteProtocolError: Not running.
        """
        self._check_running()
        stop = self._stop_sender.stop_signal(trace_id, rollback, reason)
        self._publisher.publish(stop)
        return stop
