"""One call of a tool for a task: its signs on the trace, its questions, and its output."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from ..dendrite.worker.context import TaskContext
from ..errors import NeuronError, SignalTooLarge, UnencodableValue
from .tool import Tool, output_schema
from .tool_output import output_of, text_of
from .tool_questions import Answers, ToolAnswer, ToolQuestion, arguments_of

if TYPE_CHECKING:
    from mcp import ClientSession

MAX_ROUNDS = 16
_GRACE_S = 5.0
_NO_WORDS = "the tool ended with an error and gave no text"


class ToolCall:
    """One call of a tool.

    Args:
        tool: The tool.
        given: The input of the task.
        context: The task.

    Attributes:
        unanswered: The question that ends this call, since the input holds no answer.
    """

    def __init__(self, tool: Tool, given: Mapping[str, Any], context: TaskContext) -> None:
        self._tool = tool
        self._arguments = arguments_of(given, tool.input)
        self._answers = Answers(given)
        self._context = context
        self._is_over = False
        self.unanswered: ToolQuestion | None = None

    async def run(self, session: ClientSession) -> dict[str, Any]:
        """Call the tool; return the output.

        Raises:
            NeuronError: TOOL_ERROR, the tool ended with an error; BAD_OUTPUT, its result is not
                what it promises, or cannot travel.
            Clarification: It asks a question without an answer in the input.
            MCPError: The connection was lost, or the server refused the call.
        """
        sign = await self._context.tool_call(self._tool.name, self._arguments)
        try:
            result = await self._answered(session)
            parts = [_as_dict(part) for part in result.content]
            _check(result, parts)
            output = output_of(result.structured_content, parts, output_schema(self._tool))
            await self._context.tool_result(sign, output)
        except (SignalTooLarge, UnencodableValue) as error:
            raise NeuronError("BAD_OUTPUT", f"the result of the tool: {error}") from None
        except asyncio.CancelledError:
            raise
        except Exception as error:
            text = error.message if isinstance(error, NeuronError) else str(error)
            await self._context.tool_result(sign, error=text or type(error).__name__)
            raise
        finally:
            self._is_over = True
        return output

    async def _answered(self, session: ClientSession) -> Any:
        """Return the result, unless a question is without an answer: that comes first."""
        try:
            result = await self._result(session)
        except Exception:
            if self.unanswered is None:
                raise
        if self.unanswered is not None:
            raise self.unanswered.clarification()
        return result

    async def _result(self, session: ClientSession) -> Any:
        """Call it until it has a result, or asks what has no answer."""
        responses: dict[str, Any] | None = None
        state: str | None = None
        for _ in range(MAX_ROUNDS):
            result = await self._once(session, responses, state)
            if not hasattr(result, "input_requests"):
                return result
            state = result.request_state
            responses = self._responses(result.input_requests or {})
            if self.unanswered is not None:
                return None
        raise NeuronError("TOOL_ERROR", f"the tool asked for {MAX_ROUNDS} rounds of answers")

    async def _once(self, session: ClientSession, responses: Any, state: str | None) -> Any:
        try:
            return await session.call_tool(
                self._tool.name,
                self._arguments,
                # The deadline is that of our task, which is cancelled then. A timeout of the client
                # at the same moment would race with that.
                read_timeout_seconds=self._context.remaining_s + _GRACE_S,
                progress_callback=self._progress,
                input_responses=responses,
                request_state=state,
                allow_input_required=True,
            )
        except RuntimeError as error:  # the client has checked the result by its schema
            raise NeuronError("BAD_OUTPUT", str(error).partition("\n")[0]) from None
        except ValueError as error:  # what came is no result of the protocol
            what = str(error).partition("\n")[0]
            raise NeuronError("BAD_OUTPUT", f"the server broke the protocol: {what}") from None

    def _responses(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return the responses to the requests that ended a call."""
        responses = {}
        for key, request in asked.items():
            if request.method != "elicitation/create":
                _refuse(request.method)
            answer = self.answer(question_of(request.params))
            if answer is None:
                break
            responses[key] = answer
        return responses

    def answer(self, question: ToolQuestion) -> Any:
        """Return the response to a question; None if our caller has to be asked."""
        found = self._answers.take(question)
        if found is None:
            self.unanswered = question
            return None
        return response_of(found)

    async def _progress(self, progress: float, total: float | None, message: str | None) -> None:
        """Pass the words of a tool on; numbers alone say nothing to a reader."""
        if self._is_over or not message:
            return
        try:
            await self._context.think(message)
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise
            # else the task of our caller has ended, and this one has not


def _check(result: Any, parts: Sequence[Mapping[str, Any]]) -> None:
    if result.is_error:
        raise NeuronError("TOOL_ERROR", text_of(parts) or _NO_WORDS)


def _refuse(method: str) -> NoReturn:
    raise NeuronError("TOOL_ERROR", f"the tool asks its client for {method}, which is not offered")


def _as_dict(part: Any) -> dict[str, Any]:
    found: dict[str, Any] = part.model_dump(mode="json", by_alias=True, exclude_none=True)
    return found


def question_of(params: Any) -> ToolQuestion:
    """Return the question in the parameters of an elicitation."""
    if params.mode == "url":
        return ToolQuestion(params.message, url=params.url)
    return ToolQuestion(params.message, schema=params.requested_schema)


def response_of(answer: ToolAnswer) -> Any:
    """Return an answer in the form of the client."""
    from mcp_types import ElicitResult

    return ElicitResult(action=answer.action, content=answer.content)
