"""Questions of tools: asked by the agent in their place, and answered when it runs anew. Pure.

A Neuron that asks gets its input again with the answer in it (docs/spec/07-signals.md,
"Questions"). So nothing is kept: the same question of a tool is answered out of that input.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from ..errors import Clarification, NeedsAnswer, PermissionNeeded, Question
from ..signals import SignalType


@attrs.frozen
class KnownAnswers:
    """The answers in the input of an agent.

    Args:
        input: The input of its TASK.
    """

    _input: Any

    def to(self, asked: NeedsAnswer) -> dict[str, Any] | None:
        """Return what to add to the arguments of a tool that asks; None if it is not answered."""
        payload = asked.signal.payload
        if asked.signal.type is SignalType.CLARIFICATION:
            for each in self._clarifications():
                if each.get("question") == payload.get("question") and "answer" in each:
                    return {"clarification": dict(each)}
        permission = self._permission()
        if (
            asked.signal.type is SignalType.PERMISSION
            and permission is not None
            and permission.get("action") == payload.get("action")
        ):
            return {"permission": dict(permission)}
        return None

    def question_of(self, neuron_id: str, asked: NeedsAnswer) -> Question | None:
        """Return the question that the agent asks for its tool; None if the model must go on.

        It asks for one permission only: its input keeps no more, and it would ask in turns.
        """
        payload = asked.signal.payload
        context = {"tool": neuron_id, "context": payload.get("context")}
        if asked.signal.type is SignalType.CLARIFICATION:
            return Clarification(str(payload.get("question")), context)
        if asked.signal.type is SignalType.PERMISSION and self._permission() is None:
            return PermissionNeeded(
                str(payload.get("action")),
                payload.get("scope"),
                payload.get("reason"),
                context,
            )
        return None

    def _clarifications(self) -> list[Mapping[str, Any]]:
        if not isinstance(self._input, Mapping):
            return []
        earlier = self._input.get("clarifications")
        found = [*(earlier if isinstance(earlier, list) else []), self._input.get("clarification")]
        return [each for each in reversed(found) if isinstance(each, Mapping)]

    def _permission(self) -> Mapping[str, Any] | None:
        found = self._input.get("permission") if isinstance(self._input, Mapping) else None
        return found if isinstance(found, Mapping) else None
