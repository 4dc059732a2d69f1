"""The option `--replay`: a recording in place of a Synapse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ..doppler.printing import Printing
from ..doppler.signal_filter import Choose
from ..doppler.since import since_ts
from ..prism.replay_feed import ReplayFeed
from ..recordings.lines import NoRecording
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
    try:
        begin_ts = None if since is None else since_ts(since, file.last_ts())
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--since") from None
    out = own_stdout()
    try:
        shown = retell(file, choose, out, printing, begin_ts)
    except BrokenPipeError:
        return 0  # the reader has enough, such as head
    say(f"{shown:,} Signals shown")
    return 0
