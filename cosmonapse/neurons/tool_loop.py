"""The turns of a model with tools: which calls to run, what to tell it, when to end. Pure.

It makes no call itself: `take` gives the calls of a turn, `give` takes their results.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import attrs

from ..errors import NeuronError
from ..tool_definitions import ToolDefinitions
from .answers import CALLS, Message, Output
from .endings import LENGTH
from .tool_calls import MAX_CALLS_OF_TURN, ToolCall, arguments_of
from .tool_results import ToolResult

MAX_SAME_CALLS = 3
"""How often a call with the same arguments is run. The next one is refused, and the model reads
why; one more ends the loop."""
_MAX_CALL_ID_CHARS = 128
_SHOWN_CHARS = 200
_CUT = (
    "not run: your answer was cut at its limit of tokens, so the arguments may lack their end; "
    "write less at once"
)


class ToolDialect(Protocol):
    """How a provider writes requests with tools, calls and results."""

    def request(self, messages: Sequence[Message], tools: ToolDefinitions) -> dict[str, Any]:
        """Return a request."""

    def called(self, text: str, calls: Sequence[ToolCall]) -> Message:
        """Return the message in which the model called tools."""

    def results(self, results: Sequence[ToolResult]) -> list[Message]:
        """Return the messages with what came of them."""


class ToRun(NamedTuple):
    """A call to run.

    Args:
        call: The call.
        neuron_id: The Neuron that runs it.
        args: Its input.
        call_id: Its id on the trace; None for one of the fabric's own.
    """

    call: ToolCall
    neuron_id: str
    args: dict[str, Any]
    call_id: str | None


class Refused(NamedTuple):
    """A call that is not run.

    Args:
        call: The call.
        neuron_id: The Neuron that it meant; if there is none, the name that the model gave.
        text: Why, for the model.
    """

    call: ToolCall
    neuron_id: str
    text: str


@attrs.define
class ToolLoop:
    """One conversation of a model with its tools.

    Args:
        dialect: Writes requests, calls and results.
        tools: The tools.
        messages: The conversation so far; the turns are added to it.
        max_turns: The most answers of the model.
    """

    _dialect: ToolDialect
    tools: ToolDefinitions
    messages: list[Message]
    _max_turns: int
    turn_count: int = attrs.field(default=0, init=False)
    call_count: int = attrs.field(default=0, init=False)
    _usage: Any = attrs.field(default=None, init=False)
    _cut_count: int = attrs.field(default=0, init=False)
    _same: Counter[str] = attrs.field(factory=Counter, init=False)
    _call_ids: set[str] = attrs.field(factory=set, init=False)
    _last_text: dict[bool, int] = attrs.field(factory=dict, init=False)

    def needs_blank_line(self, is_reasoning: bool) -> bool:
        """Note a piece of text; return whether it is the first one after that of an earlier turn.

        Args:
            is_reasoning: Whether it is reasoning, which is a text of its own.
        """
        last, self._last_text[is_reasoning] = self._last_text.get(is_reasoning), self.turn_count
        return last is not None and last != self.turn_count

    def request(self) -> dict[str, Any]:
        """Return the next request to the model."""
        return self._dialect.request(self.messages, self.tools)

    def take(self, output: Output) -> list[ToRun | Refused]:
        """Handle an answer of the model; return what to do with its calls, nothing at the end.

        Raises:
            NeuronError: TOOL_LOOP, it runs in circles: the turns are over, or it repeats a call
                that was refused as a repetition.
        """
        self.turn_count += 1
        self._usage = summed(self._usage, output.get("usage"))
        calls: Sequence[ToolCall] = output.pop(CALLS, ())
        if not calls:
            return []
        self.call_count += len(calls)
        calls = self._told_apart(calls)
        is_cut = output.get("finish_reason") == LENGTH
        self._cut_count += is_cut
        if self.turn_count >= self._max_turns:
            raise self._over(calls)
        self.messages.append(self._dialect.called(output["response"], calls))
        whole = calls[:-1] if is_cut else calls
        decided = [self._decided(call, number) for number, call in enumerate(whole)]
        return [*decided, *(self._cut(call) for call in calls[len(whole) :])]

    def give(self, results: Sequence[ToolResult]) -> None:
        """Add the results of a turn, in the order of its calls."""
        self.messages.extend(self._dialect.results(results))

    def final(self, output: Output) -> Output:
        """Return the output of the Neuron: that of the last turn, and what all turns have cost."""
        usage = {} if self._usage is None else {"usage": self._usage}
        return {**output, **usage, "turns": self.turn_count, "tool_calls": self.call_count}

    def _told_apart(self, calls: Sequence[ToolCall]) -> list[ToolCall]:
        """Return the calls of a turn, each with an id of its own: its result goes by that."""
        ids: set[str] = set()
        found = []
        for number, call in enumerate(calls):
            has_own = call.id and call.id not in ids
            found.append(call if has_own else self._named(call, number))
            ids.add(call.id)
        return found

    def _named(self, call: ToolCall, number: int) -> ToolCall:
        named = call._replace(id=f"call_{self.turn_count}_{number}")
        self._call_ids.add(named.id)  # another agent of the trace may call it the same
        return named

    def _cut(self, call: ToolCall) -> Refused:
        """Refuse the last call of an answer that was cut: its arguments may lack their end."""
        self._note(call, call.arguments)
        return Refused(call, self._meant(call), _CUT)

    def _meant(self, call: ToolCall) -> str:
        try:
            return self.tools.neuron_of(call.name)
        except LookupError:
            return call.name

    def _decided(self, call: ToolCall, number: int) -> ToRun | Refused:
        try:
            neuron_id = self.tools.neuron_of(call.name)
        except LookupError as error:
            self._note(call, call.arguments)
            return Refused(call, call.name, str(error.args[0]))
        try:
            args = arguments_of(call)
        except ValueError as error:
            self._note(call, call.arguments)
            return Refused(call, neuron_id, str(error))
        count = self._note(call, json.dumps(args, sort_keys=True))
        why_not = self._why_not(number, args, count)
        if why_not:
            return Refused(call, neuron_id, f"not run: {why_not}")
        return ToRun(call, neuron_id, args, self._trace_id(call))

    def _why_not(self, number: int, args: Mapping[str, Any], count: int) -> str:
        """Return why a call is not run, "" if it is.

        Args:
            number: Its number in the turn, from 0.
            args: Its arguments.
            count: How often it was called, with this one.
        """
        if number >= MAX_CALLS_OF_TURN:
            return f"at most {MAX_CALLS_OF_TURN} calls at once"
        if "permission" in args:
            return "permission is not yours to give; leave it out"
        if count > MAX_SAME_CALLS:
            what = f"it was called {MAX_SAME_CALLS} times with these arguments"
            return f"{what}; use its result, or do something else"
        return ""

    def _note(self, call: ToolCall, arguments: str) -> int:
        """Count a call; the same one again after a refusal ends the loop."""
        key = f"{call.name} {arguments}"
        self._same[key] += 1
        if self._same[key] > MAX_SAME_CALLS + 1:
            what = f"it called {shown(call)} {self._same[key]} times, and was told to stop"
            raise self._error(f"the model runs in circles: {what}")
        return self._same[key]

    def _trace_id(self, call: ToolCall) -> str | None:
        """Return the provider's id of a call for the trace, if it is the first with this id."""
        if call.id in self._call_ids or len(call.id) > _MAX_CALL_ID_CHARS:
            return None
        self._call_ids.add(call.id)
        return call.id

    def _over(self, calls: Sequence[ToolCall]) -> NeuronError:
        asked = ", ".join(map(shown, calls[:3])) + (", ..." if len(calls) > 3 else "")
        return self._error(
            f"the model still calls tools after max_turns={self._max_turns} turns and "
            f"{self.call_count} calls, at last {asked}; raise max_turns, or say in the prompt when "
            "to stop"
        )

    def _error(self, what: str) -> NeuronError:
        cut = f"; {self._cut_count} of its answers were cut: raise max_new_tokens"
        text = what + cut if self._cut_count else what
        return NeuronError("TOOL_LOOP", text, recoverable=False)


def shown(call: ToolCall) -> str:
    """Return a call as people read it."""
    return f"{call.name}({call.arguments})"[:_SHOWN_CHARS]


def summed(before: Any, usage: Any) -> Any:
    """Return the sum of two usages: numbers are added, also in maps within; else the later one."""
    if isinstance(before, Mapping) and isinstance(usage, Mapping):
        keys = dict.fromkeys([*before, *usage])
        return {key: summed(before.get(key), usage.get(key)) for key in keys}
    if _is_number(before) and _is_number(usage):
        return before + usage
    return before if usage is None else usage


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
