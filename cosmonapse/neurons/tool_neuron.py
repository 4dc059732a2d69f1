"""A provider Neuron whose model calls tools: the shell around `ToolLoop`. Not pure."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Coroutine, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import attrs

from ..errors import CosmonapseError, NeedsAnswer, NeuronError, Question
from ..tool_definitions import ToolDefinitions
from .answers import Output, Piece
from .chat import messages_from
from .dialect import Dialect
from .history import with_history
from .provider import ProviderNeuron
from .tool_loop import Refused, ToolDialect, ToolLoop, ToRun
from .tool_questions import KnownAnswers
from .tool_results import ToolResult, failure_text, output_text

RETRIES_S = (0.2, 1.0)
"""How long a loop waits, in seconds, before it asks a provider again that failed amid it."""
MAX_RETRY_AFTER_S = 10.0
"""A provider that asks for a longer wait ends the loop."""


@runtime_checkable
class CallsTools(Dialect, ToolDialect, Protocol):
    """A dialect whose models call tools."""


class ToolContext(Protocol):
    """What a loop needs of the context of its task."""

    def __iter__(self) -> Iterator[Any]:
        """Yield the context items."""

    async def tools(self, *patterns: str) -> ToolDefinitions:
        """Return the tools."""

    async def call_tool(
        self, name: str, args: Any, *, timeout_s: float, call_id: str | None
    ) -> Output:
        """Run one of them and return its output."""

    async def tool_call(self, name: str, args: Any) -> Any:
        """Report a call that is not run."""

    async def tool_result(self, call: Any, *, error: str) -> Any:
        """Report why."""


@attrs.frozen(kw_only=True)
class ToolSettings:
    """Which tools a model has, and the limits of their use.

    Args:
        patterns: The ids of the Neurons, or patterns of them.
        max_turns: The most answers of the model for one task.
        timeout_s: The longest time of one call.
        max_result_bytes: The most bytes of a result that the model reads.
    """

    patterns: tuple[str, ...]
    max_turns: int
    timeout_s: float
    max_result_bytes: int


@attrs.define(eq=False, repr=False, kw_only=True)
class ToolNeuron(ProviderNeuron):
    """A neuron function that asks a provider, and runs the tools that its model calls.

    Args:
        dialect: What to ask and how to read the answer.
        settings: Which tools, and their limits.
    """

    dialect: CallsTools
    settings: ToolSettings

    def __call__(
        self, input: Any, context: Any = None
    ) -> AsyncGenerator[str | Output, None] | Coroutine[Any, Any, Output]:
        """Ask the provider, run its tools, and ask again, until it answers.

        Returns:
            As a Neuron without tools. The output has the text of the last turn, the `usage` of
            all, and how many `turns` and `tool_calls` there were.

        Raises:
            TypeError: There is no `context`, without which no tool can be called.
            NeuronError: BAD_INPUT, PROVIDER_ERROR, PROVIDER_UNREACHABLE or TOOL_LOOP, once it runs.
            Question: A tool asks, once it runs.
            RuntimeError: It is called on a second event loop while the first one still runs.
        """
        if not hasattr(context, "call_tool"):
            raise TypeError(
                f"{self!r} calls tools, so it needs the context of its task: call it with "
                "(input, context)"
            )
        return super().__call__(input, context)

    async def _answer(
        self, input: Any, context: ToolContext
    ) -> AsyncGenerator[Piece | Output, None]:
        messages = messages_from(with_history(input, context))
        tools = await context.tools(*self.settings.patterns)
        loop = ToolLoop(self.dialect, tools, messages, self.settings.max_turns)
        answers = KnownAnswers(input)
        output: Output = {}
        while True:
            async with contextlib.aclosing(self._patient_turn(loop)) as items:
                async for item in items:
                    if isinstance(item, Piece):
                        yield item
                    else:
                        output = item
            calls = loop.take(output)
            if not calls:
                break
            loop.give(await self._run(calls, context, answers))
        yield loop.final(output)

    async def _patient_turn(self, loop: ToolLoop) -> AsyncGenerator[Piece | Output, None]:
        """Ask the model, and again where it fails without a word after tools have run.

        A retry of the caller would run these tools again.
        """
        for wait_s in (*RETRIES_S, None):
            is_silent = True
            try:
                async with contextlib.aclosing(self._turn(loop)) as items:
                    async for item in items:
                        is_silent = False
                        yield item
            except NeuronError as error:
                may_retry = is_silent and loop.call_count and error.recoverable
                asked_s = error.retry_after_s or 0.0
                if wait_s is None or not may_retry or asked_s > MAX_RETRY_AFTER_S:
                    raise
                await asyncio.sleep(max(wait_s, asked_s))
            else:
                return

    async def _turn(self, loop: ToolLoop) -> AsyncGenerator[Piece | Output, None]:
        """Ask the model once; a blank line stands between the texts of two turns."""
        given = {"messages": list(loop.messages)}
        items = self._asked(loop.request, given, runs_tools=bool(loop.tools))
        async with contextlib.aclosing(items):
            async for item in items:
                if isinstance(item, Piece) and loop.needs_blank_line(item.is_reasoning):
                    yield item._replace(text="\n\n")
                yield item

    async def _run(
        self, calls: Sequence[ToRun | Refused], context: ToolContext, answers: KnownAnswers
    ) -> list[ToolResult]:
        """Run the calls of a turn, all at once; return the results in the order of the calls.

        Raises:
            Question: A tool asks what only the caller of the agent can answer.
        """
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(self._one(call, context, answers)) for call in calls]
        results: list[ToolResult] = []
        for each in running:
            result = each.result()
            if isinstance(result, Question):
                raise result
            results.append(result)
        return results

    async def _one(
        self, call: ToRun | Refused, context: ToolContext, answers: KnownAnswers
    ) -> ToolResult | Question:
        limit = self.settings.max_result_bytes
        if isinstance(call, Refused):
            told = await context.tool_call(call.neuron_id, call.call.arguments)
            await context.tool_result(told, error=call.text)
            return ToolResult(call.call, call.text, is_error=True)
        try:
            output = await self._output(call, context, answers)
        except NeedsAnswer as asked:
            question = answers.question_of(call.neuron_id, asked)
            return question or ToolResult(call.call, failure_text(asked, limit), is_error=True)
        except (CosmonapseError, TimeoutError) as error:
            return ToolResult(call.call, failure_text(error, limit), is_error=True)
        return ToolResult(call.call, output_text(output, limit))

    async def _output(self, call: ToRun, context: ToolContext, answers: KnownAnswers) -> Output:
        timeout_s = self.settings.timeout_s
        name, args = call.neuron_id, call.args
        try:
            return await context.call_tool(name, args, timeout_s=timeout_s, call_id=call.call_id)
        except NeedsAnswer as asked:
            answer = answers.to(asked)
            if answer is None:
                raise
        args = {**args, **answer}
        try:
            return await context.call_tool(name, args, timeout_s=timeout_s, call_id=None)
        except NeedsAnswer as asked:
            if answers.to(asked) is None:
                raise
            raise NeuronError("TOOL_ERROR", f"{name} asks again what was answered") from None
