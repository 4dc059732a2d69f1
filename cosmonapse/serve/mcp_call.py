"""One call of a tool by an MCP client: what its next TASK holds after each answer. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .mcp_questions import AskedQuestion, after_form, unanswered
from .mcp_replies import ToolReply


class ClientCall:
    """A call of a tool, and the answers that its client has given so far.

    Args:
        tool: The name of the tool, which is the id of its Neuron.
        arguments: What the client gave.

    Attributes:
        tool: The name of the tool.
        neuron: Who gets the next TASK: an ESCALATION may name another one.
        trace_id: The workflow of the next TASK; None for a new one.
        parent_id: The question that the next TASK answers; None for none.
    """

    def __init__(self, tool: str, arguments: Mapping[str, Any]) -> None:
        self.tool = self.neuron = tool
        self.trace_id: str | None = None
        self.parent_id: str | None = None
        self._arguments = arguments
        self._answers: dict[str, Any] = {}

    @property
    def input(self) -> dict[str, Any]:
        """The input of the next TASK."""
        return {**self._arguments, **self._answers}

    def take(
        self, asked: Mapping[str, Any], action: str, content: Mapping[str, Any] | None
    ) -> ToolReply | None:
        """Take the answer to a question into the input.

        Args:
            asked: `AskedQuestion.as_dict`.
            action: accept, decline or cancel.
            content: The form as it was filled in; None without one.

        Returns:
            None, or the end of the call if the person gave no answer.
        """
        after = after_form(asked, self.input, action, content)
        if after is None:
            return ToolReply(unanswered(asked, action))
        same = self._arguments
        self._answers = {k: v for k, v in after.items() if k not in same or same[k] != v}
        self.neuron = asked["neuron"]
        self.trace_id, self.parent_id = asked["trace_id"], asked["event_id"]
        return None

    def state_with(self, asked: AskedQuestion) -> str:
        """Return the state of a call that ends with a question, as JSON; see `resume`."""
        return json.dumps({"asked": asked.as_dict(), "answers": self._answers})

    def resume(self, state: str) -> dict[str, Any]:
        """Take the earlier answers from a state; return the question that it ended with.

        Args:
            state: From `state_with`, for a call with the same arguments.
        """
        held = json.loads(state)
        self._answers = held["answers"]
        asked: dict[str, Any] = held["asked"]
        return asked
