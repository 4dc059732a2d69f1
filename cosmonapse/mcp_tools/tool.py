"""Tools as a server lists them, and the ids of the Axons that stand for them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import attrs

_MAX_ID = 128
_OTHER = re.compile(r"[^A-Za-z0-9._-]")


@attrs.frozen
class Tool:
    """A tool of an MCP server.

    Attributes:
        name: Its name at the server.
        description: What it is for.
        input: The JSON Schema of its arguments.
        output: The JSON Schema of its structured content; None if it has none.
    """

    name: str
    description: str
    input: Mapping[str, Any]
    output: Mapping[str, Any] | None = None


@attrs.frozen
class Choice:
    """The tools of a server that are hosted, and why others are not.

    Attributes:
        kept: Tools by the id of their Axon.
        left_out: Reasons by the name of the tool.
    """

    kept: Mapping[str, Tool]
    left_out: Mapping[str, str]


def mapped(name: str) -> str:
    """Return a name in the alphabet of ids: `_` for every other character."""
    return _OTHER.sub("_", name)


def chosen(tools: Iterable[Tool], prefix: str, patterns: Sequence[str]) -> Choice:
    """Return which tools are hosted under which ids.

    Args:
        tools: All tools of the server, in its order.
        prefix: What the ids begin with, ahead of a dot.
        patterns: Names of tools, in which `*` stands for any characters.
    """
    kept: dict[str, Tool] = {}
    left_out: dict[str, str] = {}
    for tool in tools:
        if not any(fnmatchcase(tool.name, pattern) for pattern in patterns):
            continue
        neuron_id = f"{prefix}.{mapped(tool.name)}"
        if len(neuron_id) > _MAX_ID:
            left_out[tool.name] = f"its id has {len(neuron_id)} characters, and {_MAX_ID} may be"
        elif neuron_id in kept:
            left_out[tool.name] = f"its id {neuron_id} is that of {kept[neuron_id].name!r} too"
        else:
            kept[neuron_id] = tool
    return Choice(kept, left_out)


def input_schema(tool: Tool) -> dict[str, Any]:
    """Return the schema of the arguments, with an object at its root."""
    return {"type": "object", **tool.input}


def output_schema(tool: Tool) -> dict[str, Any] | None:
    """Return the schema of the output; None unless it promises an object."""
    if tool.output is None or tool.output.get("type") != "object":
        return None
    return dict(tool.output)
