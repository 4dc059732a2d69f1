"""The option `--replay`: a recording in place of a Synapse."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import click

from ..configuration import chosen_for_process
from ..doppler.printing import Printing
from ..doppler.signal_filter import Choose, Past
from ..doppler.since import since_ts
from ..doppler.tail import Before
from ..prism.replay_feed import ReplayFeed
from ..recordings.lines import NoRecording
from ..recordings.prism_memory import DEFAULT_PRISM, NoMemory, past_of
from ..recordings.recorded_file import RecordedFile
from ..recordings.retold import retell
from .doppler_output import say
from .log import own_stdout
from .observing import Shown

F = TypeVar("F", bound=Callable[..., Any])


def replay_option(function: F) -> F:
    """Add `--replay`."""
    option = click.option(
        "--replay",
        metavar="FILE",
        type=click.Path(dir_okay=False),
        help="Show this recording of 'cosmo record'; no Synapse is needed.",
    )
    return option(function)


def recorded(path: str) -> RecordedFile:
    """Return a recording.

    Raises:
        ClickException: It is none; the text says why.
        OSError: It cannot be read.
    """
    try:
        return RecordedFile(path)
    except NoRecording as error:
        raise click.ClickException(f"cannot replay {path}: {error}") from None


def replayed(path: str, speed: float | None) -> Shown:
    """Return a recording as something that Prism shows.

    Args:
        path: The file.
        speed: How many times as fast as it was; None: all of it at once.

    Raises:
        ClickException: It is none; the text says why.
        OSError: It cannot be read.
    """
    file = recorded(path)
    name = f"{file.header.namespace} of {path}"
    return Shown(name, lambda listener, say: ReplayFeed(file, speed, listener, say))


def before_of(since: str, prism_url: str | None) -> Before:
    """Return what a Prism remembers since a time; without one, a line says so.

    Args:
        since: What `--since` says: how long ago, or a time of day.
        prism_url: The address of the Prism; by default COSMO_PRISM, or the usual one.

    Raises:
        BadParameter: `since` is no time.
    """
    begin_ts = _begin_ts(since, time.time())
    address = chosen_for_process("prism", prism_url).value or DEFAULT_PRISM

    def past(namespace: str, url: str) -> Past:
        try:
            found = past_of(address, namespace, url)
        except NoMemory as error:
            say(str(error))
            return []
        if not found or found[0][0] > begin_ts:
            first = "nothing" if not found else f"back to {_clock_of(found[0][0])} only"
            say(f"the Prism remembers {first}")
        return found

    return Before(begin_ts, past)


def _clock_of(ts: float) -> str:
    return datetime.fromtimestamp(ts).astimezone().strftime("%H:%M:%S")


def _begin_ts(since: str, end_ts: float) -> float:
    try:
        return since_ts(since, end_ts)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--since") from None


def print_replay(path: str, choose: Choose, printing: Printing, since: str | None) -> int:
    """Print a recording; return the exit code.

    Args:
        path: The file.
        choose: Returns what to print at a Signal.
        printing: How it is printed.
        since: What `--since` says: a time before its end, or a time of day.

    Raises:
        ClickException: It is no recording, or `since` is no time.
        OSError: It cannot be read, or the output not written.
    """
    file = recorded(path)
    begin_ts = None if since is None else _begin_ts(since, file.last_ts())
    out = own_stdout()
    try:
        shown = retell(file, choose, out, printing, begin_ts)
    except BrokenPipeError:
        return 0  # the reader has enough, such as head
    say(f"{shown:,} Signals shown")
    return 0
