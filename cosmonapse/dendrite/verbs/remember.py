"""The verbs that ask a memory."""

from __future__ import annotations

from typing import Any

from ...memory_ops import CAPABILITY, DEFAULT_HITS, Forget, Imprint, Operation, Recall, input_of
from .base import verb
from .dispatch import DispatchVerbs


class MemoryVerbs(DispatchVerbs):
    """The `imprint`, `recall` and `forget` methods of a Dendrite."""

    @verb
    async def imprint(
        self,
        text: str,
        *,
        space: str = "",
        id: str | None = None,
        data: Any = None,
        neuron: str | None = None,
        timeout_s: float = 30.0,
    ) -> str:
        """Keep a text in a memory; return the id of the entry.

        Args:
            text: What is kept and found again, up to 65,536 bytes in UTF-8.
            space: Whose it is, up to 256 characters: spaces do not see each other.
            id: Its id in the space, 1 to 256 characters; an entry with the same one is replaced.
                None for a new one.
            data: Any JSON that goes with it, up to 65,536 bytes.
            neuron: Which memory; by default any Axon with the capability `memory`.
            timeout_s: How long it may take.

        Raises:
            ValueError: A value is not of this form.
            NeuronError: The outcome is an ERROR.
            TimeoutError: There is no outcome in time.
            AccessRefused: The key of this Dendrite may not send TASKs there.
            DendriteProtocolError: Not running, or in the role of a worker.
        """
        operation = Imprint(text, space=space, id=id, data=data)
        output = await self._asked_memory(operation, neuron, timeout_s)
        return str(output["id"])

    @verb
    async def recall(
        self,
        query: str,
        *,
        space: str = "",
        limit: int = DEFAULT_HITS,
        neuron: str | None = None,
        timeout_s: float = 30.0,
    ) -> list[dict[str, Any]]:
        """Return the entries of a memory that fit a query, as {id, text, data, score}, best first.

        Errors and other arguments as for `imprint`.

        Args:
            query: Any text; without a word in it the newest entries are returned.
            space: Where to look.
            limit: How many entries at most, 1 to 100.
        """
        output = await self._asked_memory(
            Recall(query, space=space, limit=limit), neuron, timeout_s
        )
        return list(output["hits"])

    @verb
    async def forget(
        self,
        id: str | None,
        *,
        space: str = "",
        neuron: str | None = None,
        timeout_s: float = 30.0,
    ) -> int:
        """Drop an entry of a memory, or all of a space for None; return how many there were.

        Errors and other arguments as for `imprint`.
        """
        output = await self._asked_memory(Forget(id, space=space), neuron, timeout_s)
        return int(output["forgotten"])

    async def _asked_memory(
        self, operation: Operation, neuron: str | None, timeout_s: float
    ) -> dict[str, Any]:
        capabilities = [CAPABILITY] if neuron is None else None
        return await self.ask(
            neuron=neuron,
            capabilities=capabilities,
            input=input_of(operation),
            timeout_s=timeout_s,
        )
