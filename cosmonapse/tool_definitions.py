"""Neurons as the tools of a model: their definitions, and the way back from a name. Pure.

Sources: https://platform.openai.com/docs/api-reference/chat (a function's name and parameters),
https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use (`input_schema`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

import attrs

from .cards import Card
from .runtime.printable import shortened
from .schemas.flat import flattened

MAX_TOOL_NAME_CHARS = 64
"""The most characters of the name of a tool that providers accept."""
MAX_TOOL_DESCRIPTION_CHARS = 1024
"""The most characters of its description."""
_HASH_BYTES = 4
_FORBIDDEN = re.compile("[^A-Za-z0-9_-]")


@attrs.frozen(kw_only=True)
class ToolDefinition:
    """One tool, as a model sees it.

    Args:
        neuron_id: The Neuron that runs it.
        name: What the model calls it: `A-Z a-z 0-9 _ -`, at most 64 characters.
        description: What it is for.
        parameters: The JSON Schema of its arguments, an object.
    """

    neuron_id: str
    name: str
    description: str
    parameters: Mapping[str, Any]

    def as_openai(self) -> dict[str, Any]:
        """Return it as an entry of `tools` in a request for chat completions."""
        function = {
            "name": self.name,
            "description": self.description,
            "parameters": dict(self.parameters),
        }
        return {"type": "function", "function": function}

    def as_anthropic(self) -> dict[str, Any]:
        """Return it as an entry of `tools` in a request for messages."""
        return {
            "name": self.name,
            "description": self.description,
            "input_schema": dict(self.parameters),
        }


class ToolDefinitions(Sequence[ToolDefinition]):
    """The tools that a model may use, in the order of their Neurons' ids.

    Args:
        definitions: The tools; their names differ.
    """

    def __init__(self, definitions: Iterable[ToolDefinition] = ()) -> None:
        self._tools = tuple(definitions)
        self._by_name = {tool.name: tool for tool in self._tools}

    @overload
    def __getitem__(self, index: int) -> ToolDefinition: ...
    @overload
    def __getitem__(self, index: slice) -> ToolDefinitions: ...
    def __getitem__(self, index: int | slice) -> ToolDefinition | ToolDefinitions:
        """Return a tool, or some of them."""
        found = self._tools[index]
        return found if isinstance(found, ToolDefinition) else ToolDefinitions(found)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._tools)

    def __iter__(self) -> Iterator[ToolDefinition]:
        """Yield each tool."""
        return iter(self._tools)

    def __repr__(self) -> str:
        """Name the tools."""
        return f"ToolDefinitions({', '.join(self._by_name)})"

    def as_openai(self) -> list[dict[str, Any]]:
        """Return `tools` for a request for chat completions."""
        return [tool.as_openai() for tool in self._tools]

    def as_anthropic(self) -> list[dict[str, Any]]:
        """Return `tools` for a request for messages."""
        return [tool.as_anthropic() for tool in self._tools]

    def neuron_of(self, name: str) -> str:
        """Return the id of the Neuron that a model means by a name.

        Raises:
            LookupError: No tool has this name; the text says which there are.
        """
        tool = self._by_name.get(name)
        if tool is None:
            known = ", ".join(self._by_name) or "none"
            raise LookupError(f"no tool is called {name!r:.100}; there are: {known}")
        return tool.neuron_id


def definitions_of(cards: Iterable[Card]) -> ToolDefinitions:
    """Return the tools of these cards; a card whose input is not an object gives none.

    The names depend on the set of ids only, and not on its order.
    """
    by_id = {card.neuron_id: card for card in cards if takes_object(card)}
    return ToolDefinitions(
        ToolDefinition(
            neuron_id=neuron_id,
            name=name,
            description=shortened(by_id[neuron_id].description, MAX_TOOL_DESCRIPTION_CHARS),
            parameters=_parameters(by_id[neuron_id].input),
        )
        for neuron_id, name in sorted(tool_names(by_id).items())
    )


def takes_object(card: Card) -> bool:
    """Return whether a model can call this Neuron: the arguments of a tool are an object."""
    return card.input is None or card.input.get("type", "object") == "object"


def tool_names(neuron_ids: Iterable[str]) -> dict[str, str]:
    """Return the name of each Neuron's tool: its id with `_` for what a name cannot hold.

    Of several ids with the same name, the one that is a name already keeps it, else the first in
    the order of the alphabet; the others, and ids that are too long, end in a hash of the id.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for neuron_id in sorted(set(neuron_ids), key=lambda each: (_plain(each) != each, each)):
        names[neuron_id] = name = _free(neuron_id, taken)
        taken.add(name)
    return names


def _plain(neuron_id: str) -> str:
    return _FORBIDDEN.sub("_", neuron_id)


def _free(neuron_id: str, taken: set[str]) -> str:
    name, salt = _plain(neuron_id), 0
    while name in taken or len(name) > MAX_TOOL_NAME_CHARS:
        seed = f"{neuron_id}/{salt}" if salt else neuron_id
        suffix = hashlib.blake2b(seed.encode(), digest_size=_HASH_BYTES).hexdigest()
        name = f"{_plain(neuron_id)[: MAX_TOOL_NAME_CHARS - len(suffix) - 1]}_{suffix}"
        salt += 1
    return name


def _parameters(schema: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a schema that says it is an object; providers refuse one that does not, or a union."""
    found = flattened({"type": "object", **(schema or {})})
    found.setdefault("properties", {})
    return found
