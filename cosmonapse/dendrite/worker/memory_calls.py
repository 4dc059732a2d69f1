"""The calls by which a Neuron asks a memory."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ...memory_ops import CAPABILITY, DEFAULT_HITS, Forget, Imprint, Operation, Recall, input_of

_CALL_S = 30.0


class MemoryCalls:
    """The `imprint`, `recall` and `forget` methods of the context of a Neuron."""

    __slots__ = ()

    ask: Callable[..., Any]

    def imprint(
        self,
        text: str,
        *,
        space: str = "",
        id: str | None = None,
        data: Any = None,
        neuron: str | None = None,
        timeout_s: float = _CALL_S,
    ) -> Any:
        """Keep a text in a memory as `Dendrite.imprint` does, by a child task; return its id.

        Returns:
            On the loop an awaitable of the id; in a thread the id.

        Raises:
            ValueError: A value is not of its form.
            NeuronError: The outcome is an ERROR.
            TimeoutError: There is no outcome in time.
        """
        operation = Imprint(text, space=space, id=id, data=data)
        return self._part(operation, "id", neuron, timeout_s)

    def recall(
        self,
        query: str,
        *,
        space: str = "",
        limit: int = DEFAULT_HITS,
        neuron: str | None = None,
        timeout_s: float = _CALL_S,
    ) -> Any:
        """Find entries as `Dendrite.recall` does; returns and raises as `imprint`."""
        operation = Recall(query, space=space, limit=limit)
        return self._part(operation, "hits", neuron, timeout_s)

    def forget(
        self,
        id: str | None,
        *,
        space: str = "",
        neuron: str | None = None,
        timeout_s: float = _CALL_S,
    ) -> Any:
        """Drop entries as `Dendrite.forget` does; returns and raises as `imprint`."""
        return self._part(Forget(id, space=space), "forgotten", neuron, timeout_s)

    def _part(self, operation: Operation, key: str, neuron: str | None, timeout_s: float) -> Any:
        capabilities = [CAPABILITY] if neuron is None else None
        output = self.ask(
            neuron=neuron,
            capabilities=capabilities,
            input=input_of(operation),
            timeout_s=timeout_s,
        )
        return _part_of(output, key) if inspect.isawaitable(output) else output[key]


async def _part_of(output: Any, key: str) -> Any:
    return (await output)[key]
