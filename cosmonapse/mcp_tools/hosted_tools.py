"""The Axons that stand for the tools of an MCP server; each is kept while its tool is the same."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from ..axon import Axon
from .tool import Tool, chosen

_LOG = logging.getLogger(__name__)


class HostedTools:
    """The tools of a server that are hosted now, and those that are left out.

    A tool that cannot be hosted is logged and counted once, until it is gone or can be.

    Args:
        name: The server, for the log.
        patterns: Names of tools, in which `*` stands for any characters.
        axon_for: Returns the Axon with an id for a tool; TypeError or ValueError if there can be
            none.
        counts: Gets `tool_left_out`.
    """

    def __init__(
        self,
        name: str,
        patterns: Sequence[str],
        axon_for: Callable[[str, Tool], Axon],
        counts: Counter[str],
    ) -> None:
        self._name = name
        self._patterns = patterns
        self._axon_for = axon_for
        self._counts = counts
        self._hosted: dict[str, tuple[Tool, Axon]] = {}
        self._left_out: Mapping[str, str] = {}

    @property
    def axons(self) -> list[Axon]:
        """The Axons, in the order of the tools at the server."""
        return [axon for _, axon in self._hosted.values()]

    def update(self, prefix: str, tools: Sequence[Tool]) -> bool:
        """Host the tools that the patterns name; return whether an Axon has come, gone or changed.

        Args:
            prefix: What the ids begin with, ahead of a dot.
            tools: All tools of the server now.
        """
        choice = chosen(tools, prefix, self._patterns)
        left_out = dict(choice.left_out)
        before, self._hosted = self._hosted, {}
        for neuron_id, tool in choice.kept.items():
            known = before.get(neuron_id)
            try:
                axon = known[1] if known and known[0] == tool else self._axon_for(neuron_id, tool)
            except (TypeError, ValueError) as error:
                left_out[tool.name] = str(error)
            else:
                self._hosted[neuron_id] = tool, axon
        self._report(left_out, tools)
        return self._hosted != before

    def _report(self, left_out: Mapping[str, str], tools: Sequence[Tool]) -> None:
        for name, why in left_out.items():
            if name not in self._left_out:
                self._counts["tool_left_out"] += 1
                _LOG.warning("%s: the tool %r is left out: %s", self._name, name, why)
        self._left_out = left_out
        if not self._hosted:
            names = ", ".join(tool.name for tool in tools) or "none"
            wanted = ", ".join(self._patterns)
            text = "the MCP server %s: no tool is hosted; wanted: %s; it has: %s"
            _LOG.warning(text, self._name, wanted, names)
