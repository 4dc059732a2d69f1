"""How `cosmo doppler` prints: lines for a terminal or a pipe, JSON for tools."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TextIO

import click

from ..doppler.formatter import LineFormatter, json_line, plain
from ..doppler.live_streams import LiveStreams
from ..doppler.printing import Printing, each_line
from ..runtime.printable import printable
from ..signals import SignalType
from .std_streams import complain, terminal_size

_GREY = "bright_black"
_COLOURS: Mapping[SignalType, Mapping[str, Any]] = MappingProxyType(
    {
        SignalType.TASK: {"bold": True},
        SignalType.AGENT_OUTPUT: {"fg": "green"},
        SignalType.FINAL: {"fg": "green"},
        SignalType.ERROR: {"fg": "red"},
        SignalType.STOP: {"fg": "red"},
        SignalType.STOPPED: {"fg": "red"},
        SignalType.CLARIFICATION: {"fg": "yellow"},
        SignalType.PERMISSION: {"fg": "yellow"},
        SignalType.ESCALATION: {"fg": "yellow"},
        SignalType.CLARIFICATION_ANSWER: {"fg": "magenta"},
        SignalType.PERMISSION_DECISION: {"fg": "magenta"},
        SignalType.TOOL_CALL: {"fg": "blue"},
        SignalType.TOOL_RESULT: {"fg": "blue"},
        SignalType.REGISTER: {"fg": _GREY},
        SignalType.HEARTBEAT: {"fg": _GREY},
        SignalType.DEREGISTER: {"fg": _GREY},
    }
)
_OTHERS: Mapping[str, Any] = MappingProxyType({"fg": "cyan"})


def printed(as_lines: bool, payload: bool, unfold: bool) -> Printing:
    """Return how Signals and reports are printed on this stdout.

    Args:
        as_lines: As JSON, one object a line.
        payload: With the whole payload below each line.
        unfold: With each piece of a stream on a line of its own.
    """
    if as_lines:
        return Printing(each_line(json_line), _tell_apart)
    is_terminal, is_dumb = sys.stdout.isatty(), os.environ.get("TERM") == "dumb"
    styled = coloured if _is_coloured(is_terminal and not is_dumb) else plain
    if not is_terminal:
        return Printing(each_line(LineFormatter(payload=payload, styled=styled)), _tell_between)
    line_of = LineFormatter(lambda: terminal_size()[0], payload=payload, styled=styled)
    is_shared = sys.stderr.isatty()
    if unfold or payload or is_dumb:
        return Printing(each_line(line_of), _tell_between, is_shared)
    live = LiveStreams(line_of, terminal_size)

    def tell(out: TextIO, line: str) -> None:
        out.write(live.insert(printable(line)))

    return Printing(live.render, tell, is_shared)


def _is_coloured(is_able: bool) -> bool:
    """Return whether lines have colours; see no-color.org and force-color.org."""
    if os.environ.get("NO_COLOR"):
        return False
    return is_able or bool(os.environ.get("FORCE_COLOR"))


def coloured(text: str, type: SignalType) -> str:
    """Return `text` in the colour of a type."""
    return click.style(text, **_COLOURS.get(type, _OTHERS))


def say(line: str) -> None:
    """Print a report on stderr."""
    complain(printable(line))


def _tell_apart(out: TextIO, line: str) -> None:
    say(line)


def _tell_between(out: TextIO, line: str) -> None:
    out.write(f"{printable(line)}\n")
