"""`cosmo doppler`: every Signal of a namespace as it passes."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TextIO

import click

from ..doppler.formatter import LineFormatter, json_line
from ..doppler.observed import ObservedSignal
from ..doppler.signal_filter import SignalFilter
from ..doppler.tail import Tail
from ..names import checked_name
from ..runtime.printable import printable
from ..signals import SignalType
from .fabric import fabric_options
from .log import own_stdout
from .observing import browser_options, show_prism
from .options import complete_type, signal_types, trace_option

_PIPE_CHARS = 200
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
_BY_PRISM = (
    "--prism shows everything: remove --type, --trace, --neuron, --json, --payload, --since-start"
)


@click.command()
@fabric_options
@click.option(
    "--type",
    "types",
    metavar="T",
    callback=signal_types,
    shell_complete=complete_type,
    multiple=True,
    help="Show this type only, such as ERROR; repeatable.",
)
@click.option(
    "--trace",
    metavar="ID",
    callback=trace_option,
    help="Show this workflow only: its trace id, or at least its first 8 characters.",
)
@click.option("--neuron", metavar="ID", help="Show only Signals from this neuron and TASKs for it.")
@click.option("--json", "as_lines", is_flag=True, help="Print one JSON object a line, for jq.")
@click.option("--payload", is_flag=True, help="Print the whole payload below each line.")
@click.option(
    "--since-start",
    is_flag=True,
    help="Begin with the Axons already there, as REGISTER. Earlier Signals are not stored.",
)
@click.option("--prism", is_flag=True, help="Show them in a browser; needs the extra [prism].")
@browser_options
def command(
    url: str,
    namespace: str,
    types: frozenset[SignalType],
    trace: str | None,
    neuron: str | None,
    as_lines: bool,
    payload: bool,
    since_start: bool,
    prism: bool,
    port: int,
    no_browser: bool,
) -> int:
    """Show every Signal of a namespace as it passes, until Ctrl-C.

    Values under keys such as api_key, token or password are masked. The number of Signals missed is
    printed too, with --json on stderr.
    """
    if prism:
        if types or trace or neuron or as_lines or payload or since_start:
            raise click.UsageError(_BY_PRISM)
        return show_prism(url, namespace, port, no_browser)
    if neuron is not None:
        checked_name("--neuron", neuron)
    wanted = SignalFilter(types, trace, neuron)
    text_of: Callable[[ObservedSignal], str] = json_line if as_lines else _lines(payload)
    tell = _tell_apart if as_lines else _tell_between
    tail = Tail(url, namespace, wanted, own_stdout(), text_of, tell, _say)
    ended_by = asyncio.run(tail.run(since_start))
    return 130 if ended_by == signal.SIGINT else 0


def _lines(payload: bool) -> LineFormatter:
    if not sys.stdout.isatty():
        return LineFormatter(_PIPE_CHARS, payload=payload)
    columns = shutil.get_terminal_size().columns
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return LineFormatter(columns, payload=payload)
    return LineFormatter(columns, coloured, payload)


def coloured(text: str, type: SignalType) -> str:
    """Return `text` in the colour of a type."""
    return click.style(text, **_COLOURS.get(type, _OTHERS))


def _say(line: str) -> None:
    click.echo(printable(line), err=True)


def _tell_apart(out: TextIO, line: str) -> None:
    _say(line)


def _tell_between(out: TextIO, line: str) -> None:
    out.write(f"{line}\n")
