"""The verbs that use Neurons as tools, for a program that is no Neuron."""

from __future__ import annotations

from typing import Any

from ...ids import new_trace_id
from ...signals import Signal, SignalType, made
from ...tasks import task_for
from ...tool_definitions import ToolDefinitions
from ..worker.called_tool import call_tool
from .base import verb
from .emit import EmitVerbs


class ToolVerbs(EmitVerbs):
    """The tool methods of a Dendrite."""

    @verb
    async def call_tool(
        self,
        name: str,
        args: Any = None,
        *,
        timeout_s: float = 30.0,
        call_id: str | None = None,
        trace_id: str | None = None,
    ) -> dict[str, Any]:
        """Call a Neuron as a tool and return its output, as `TaskContext.call_tool` does.

        Watchers of the trace see a TOOL_CALL, the task and a TOOL_RESULT. A key that may not
        publish these two calls the tool without them.

        Args:
            name: The neuron id.
            args: Its input; `{}` by default.
            timeout_s: The longest time that it may take.
            call_id: The id of the call on the trace; a new one by default.
            trace_id: The workflow; a new one by default.

        Raises:
            NeuronError: The tool ended in an ERROR, which has its code.
            NeedsAnswer: It asked a question.
            TimeoutError: It did not end in time.
            InvalidName: `name` is invalid.
            UnencodableValue: The arguments hold a value that no Signal can carry.
            SignalTooLarge: They are over the limit.
            AccessRefused: The key of this Dendrite may not send TASKs there.
            DendriteProtocolError: Not running, or in the role of a worker.
        """
        self._check_may_dispatch()
        args = {} if args is None else args
        trace = trace_id or new_trace_id()
        task_for(name, None, args, trace)  # a wrong name is no call of a tool

        async def say(kind: SignalType, payload: dict[str, Any]) -> Signal:
            signal = made(kind, payload, self._own_producer, trace, None, {})
            if self._subscriptions.own_rights.may_emit(kind):
                await self.emit(signal)
            return signal

        async def ask(call: Signal) -> Signal:
            task = task_for(name, None, args, trace, call.id)
            return await self._dispatcher.wait(task, timeout_s)

        return await call_tool(name, args, call_id, say, ask)

    @verb
    async def tools(self, *patterns: str, timeout_s: float = 5.0) -> ToolDefinitions:
        """Return live Neurons as the tools of a model: those with a card whose id matches.

        A pattern that finds nothing is said in the log, once.

        Args:
            patterns: Which ids: `*` stands for any characters, `?` for one. All by default.
            timeout_s: How long it may take.

        Raises:
            SynapseUnreachable: The Synapse does not answer in this time.
            DendriteProtocolError: Not running, or in the role of a worker.
        """
        self._check_may_dispatch()
        return await self._inbox.child_calls.tools(patterns or ("*",), timeout_s)
