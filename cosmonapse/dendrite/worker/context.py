"""The second argument of a Neuron: its task, and calls to stream and to dispatch while it works."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Protocol, Required, TypedDict, Unpack

from ...payloads import STREAMED, payload_of
from ...signals import Signal, SignalType
from ...tasks import TOOL_DEPTH, task_for, tool_depth
from ...tool_definitions import ToolDefinitions
from .called_tool import call_tool, check_depth
from .memory_calls import MemoryCalls

_CHILD_S = 30.0
_CARDS_S = 5.0


class Speaker(Protocol):
    """Sends the Signals and the child tasks of a Neuron."""

    @property
    def cancelled(self) -> bool:
        """Whether the caller no longer waits for the task."""

    def say(self, signal_type: SignalType, payload: dict[str, Any]) -> Coroutine[Any, Any, Signal]:
        """Send a Signal to the caller before the last reply; wait while the outbox is full."""

    def think(self, text: str, kind: str | None) -> Coroutine[Any, Any, Signal]:
        """Send a thought to the caller, numbered in the order of the calls."""

    def ask(self, task: Signal, timeout_s: float) -> Coroutine[Any, Any, Signal]:
        """Send a TASK and return the Signal that settles it; it ends with our own task."""

    def tools(
        self, patterns: Sequence[str], timeout_s: float
    ) -> Coroutine[Any, Any, ToolDefinitions]:
        """Return the live Neurons that match a pattern, as tools of a model."""

    def owned(self, work: Coroutine[Any, Any, Any]) -> Coroutine[Any, Any, Any]:
        """Return `work` so that it is cancelled when the task ends first."""


class ChildTask(TypedDict, total=False):
    """The arguments of `TaskContext.dispatch_and_wait`."""

    neuron: str | None
    capabilities: Iterable[str] | None
    input: Required[Any]
    timeout_s: float
    context_ref: Any
    meta: dict[str, Any] | None


class TaskContext(MemoryCalls, list[Any]):
    """The list of context items, and the task around them.

    A function on the event loop awaits the calls. A plain `def` in its thread calls them without
    `await`; they return when the Signal was sent or the child task has ended. Each call raises
    CancelledError once the task has ended.

    Attributes:
        task: The TASK Signal.
    """

    # `__dict__`, so that a Neuron may put something of its own on it; made only when it does.
    __slots__ = (
        "__dict__",
        "__weakref__",
        "_deadline_at_s",
        "_finish_yielded",
        "_loop",
        "_speaker",
        "_thread_id",
        "task",
    )

    def __init__(
        self,
        items: Iterable[Any],
        task: Signal,
        speaker: Speaker,
        deadline_at_s: float,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        if items:
            super().__init__(items)
        self.task = task
        self._speaker = speaker
        self._deadline_at_s = deadline_at_s
        self._loop = loop
        self._thread_id = threading.get_ident()
        # Says what a generator in a thread has yielded; set where that is run.
        self._finish_yielded: Callable[[], None] | None = None

    @property
    def trace_id(self) -> str:
        """The workflow that the task belongs to."""
        return self.task.trace_id

    @property
    def remaining_s(self) -> float:
        """Seconds until the deadline of the task, at least 0."""
        return max(0.0, self._deadline_at_s - self._loop.time())

    @property
    def cancelled(self) -> bool:
        """Whether the caller no longer waits; a function in a thread may test it and return."""
        return self._speaker.cancelled

    # -- streaming -------------------------------------------------------------------------------

    def think(self, text: str, *, kind: str | None = None) -> Any:
        """Stream a text to the caller; all texts arrive in order, before the last reply.

        Args:
            text: The text.
            kind: `"reasoning"` for a text that is no part of the response; helpers that read the
                response skip it.

        Returns:
            On the loop an awaitable of the Signal; in a thread the Signal, once it is sent.

        Raises:
            TypeError: `text` is not a str.
        """
        if not isinstance(text, str):
            raise TypeError(f"a thought must be a str, not {type(text).__name__}")
        if threading.get_ident() == self._thread_id:
            return self._speaker.think(text, kind)
        return self._here(self._thought(text, kind))

    async def _thought(self, text: str, kind: str | None) -> Signal:
        """Send a thought of a thread; it is numbered here, behind what was yielded before it."""
        return await self._speaker.think(text, kind)

    def tool_call(self, name: str, args: Any = None, *, call_id: str | None = None) -> Any:
        """Report the call of a tool; pass `payload["call_id"]` of the Signal on to its result.

        Returns:
            As `think`.

        Raises:
            UnencodableValue: The arguments hold a value that no Signal can carry.
            SignalTooLarge: It is over the limit.
        """
        return self.emit(SignalType.TOOL_CALL, tool_name=name, args=args, call_id=call_id)

    def tool_result(
        self,
        call: str | Signal,
        result: Any = None,
        *,
        error: str | None = None,
        call_id: str | None = None,
    ) -> Any:
        """Report the result of a tool, or its error.

        Args:
            call: The TOOL_CALL, or the name of the tool.
            result: The result.
            error: The error text.
            call_id: The id of the call, if `call` is a name.

        Returns:
            As `think`.

        Raises:
            UnencodableValue: The result holds a value that no Signal can carry.
            SignalTooLarge: It is over the limit.
        """
        name = call
        if isinstance(call, Signal):
            name, call_id = call.payload["tool_name"], call.payload["call_id"]
        return self.emit(
            SignalType.TOOL_RESULT, tool_name=name, result=result, error=error, call_id=call_id
        )

    def plan(self, steps: Iterable[Any], rationale: str | None = None) -> Any:
        """Report the plan of the Neuron.

        Returns:
            As `think`.
        """
        return self.emit(SignalType.PLAN, steps=list(steps), rationale=rationale)

    def emit(self, type: SignalType, **payload: Any) -> Any:
        """Send a Signal of a type that a Neuron may send while it works.

        These are THOUGHT_DELTA, TOOL_CALL, TOOL_RESULT, PLAN, CRITIQUE, CONSENSUS, CONTEXT_SYNC or
        MEMORY_APPEND.

        Returns:
            As `think`.

        Raises:
            ValueError: Another type.
            TypeError: A key of the payload is missing or unknown.
        """
        if type not in STREAMED:
            raise ValueError(
                f"a Neuron cannot emit a {type} while it works: return it, or raise it"
            )
        checked = payload_of(type, payload)
        if type is SignalType.THOUGHT_DELTA:
            return self.think(checked["delta"], kind=checked.get("kind"))
        return self._here(self._speaker.say(SignalType(type), checked))  # type: ignore[call-arg]

    # -- child tasks -----------------------------------------------------------------------------

    def dispatch_and_wait(
        self,
        *,
        neuron: str | None = None,
        capabilities: Iterable[str] | None = None,
        input: Any,
        timeout_s: float = _CHILD_S,
        context_ref: Any = None,
        meta: dict[str, Any] | None = None,
    ) -> Any:
        """Send a child task and wait for the Signal that settles it.

        It belongs to the same trace and has this task as its parent. It has at most the time that
        this task has left, and is cancelled when this task ends.

        Returns:
            On the loop an awaitable of the Signal; in a thread the Signal.

        Raises:
            TimeoutError: Nothing settled it in time.
            ValueError: Neither or both of neuron and capabilities, or an invalid name.
            UnencodableValue: The input holds a value that no Signal can carry.
            SignalTooLarge: The TASK is over the limit.
        """
        if TOOL_DEPTH in self.task.meta and (meta is None or isinstance(meta, dict)):
            meta = {TOOL_DEPTH: tool_depth(self.task), **(meta or {})}
        task = task_for(neuron, capabilities, input, self.trace_id, self.task.id, meta, context_ref)
        left_s = max(0.001, min(timeout_s, self.remaining_s))
        return self._here(self._speaker.ask(task, left_s))

    def ask(self, **task: Unpack[ChildTask]) -> Any:
        """Send a child task as `dispatch_and_wait` does and return its output.

        Raises:
            NeuronError: The outcome is an ERROR.
            NeedsAnswer: The outcome is a question.
            TimeoutError: There is no outcome in time.
        """
        if threading.get_ident() != self._thread_id:
            return self.dispatch_and_wait(**task).output

        async def output() -> dict[str, Any]:
            reply: Signal = await self.dispatch_and_wait(**task)
            return reply.output

        return output()

    # -- tools -----------------------------------------------------------------------------------

    def call_tool(
        self,
        name: str,
        args: Any = None,
        *,
        timeout_s: float = _CHILD_S,
        call_id: str | None = None,
    ) -> Any:
        """Call a Neuron as a tool and return its output.

        The trace shows a TOOL_CALL, the child task as `dispatch_and_wait` sends it, and a
        TOOL_RESULT with the output or the error.

        Args:
            name: The neuron id.
            args: Its input; `{}` by default.
            timeout_s: The longest time that it may take; never longer than this task has left.
            call_id: The id of the call on the trace; a new one by default.

        Returns:
            On the loop an awaitable of the output; in a thread the output.

        Raises:
            NeuronError: The tool ended in an ERROR, which has its code; TOOL_LOOP, it would be the
                ninth call of a tool within another.
            NeedsAnswer: It asked a question. Call it again with the answer: its input, and
                `clarification` or `permission` in it.
            TimeoutError: It did not end in time.
            InvalidName: `name` is invalid.
            UnencodableValue: The arguments hold a value that no Signal can carry.
            SignalTooLarge: They are over the limit.
        """
        args = {} if args is None else args
        depth = tool_depth(self.task) + 1
        task = task_for(name, None, args, self.trace_id, self.task.id, {TOOL_DEPTH: depth})

        async def ask(_call: Signal) -> Signal:
            check_depth(name, depth)
            left_s = max(0.001, min(timeout_s, self.remaining_s))
            return await self._speaker.ask(task, left_s)

        return self._here(call_tool(name, args, call_id, self._speaker.say, ask))

    def tools(self, *patterns: str, timeout_s: float = _CARDS_S) -> Any:
        """Return live Neurons as the tools of a model: those with a card whose id matches.

        The Neuron itself is one only if its whole id is given. A pattern that finds nothing is said
        in the log, once.

        Args:
            patterns: Which ids: `*` stands for any characters, `?` for one. All by default.
            timeout_s: How long it may take.

        Returns:
            On the loop an awaitable of `ToolDefinitions`; in a thread these.

        Raises:
            SynapseUnreachable: The Synapse does not answer in this time.
        """
        return self._here(self._speaker.tools(patterns or ("*",), timeout_s))

    def _here(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Return an awaitable on the loop; in a thread wait for the result and return it."""
        if threading.get_ident() == self._thread_id:
            return work
        owned = self._speaker.owned(work)
        try:
            if self._finish_yielded is not None:
                self._finish_yielded()
            done = asyncio.run_coroutine_threadsafe(owned, self._loop)
        except RuntimeError:  # the loop is closed: the thread has outlived the Dendrite
            owned.close()
            work.close()
            raise asyncio.CancelledError from None
        except BaseException:
            owned.close()
            work.close()
            raise
        try:
            return done.result()
        except concurrent.futures.CancelledError:
            raise asyncio.CancelledError from None
