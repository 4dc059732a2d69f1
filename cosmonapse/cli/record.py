"""`cosmo record`: what passes in a namespace, in a file."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import BinaryIO

import click

from .. import __version__
from ..doppler.signal_filter import SignalFilter
from ..keys import Key
from ..names import checked_name
from ..recordings.line_file import new_file
from ..recordings.tape import Recording, RecordingSettings
from ..signals import SignalType
from .choosing import choice_options
from .doppler_output import say
from .fabric import fabric_options

_MEGABYTE = 1_000_000
_STDOUT = "-"


@click.command()
@click.argument("file", type=click.Path(dir_okay=False))
@fabric_options
@choice_options("Record")
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="End after this time.")
@click.option("--megabytes", type=click.FloatRange(0, min_open=True), help="End at this size.")
@click.option("--force", is_flag=True, help="Replace the file, if there is one.")
@click.option("--unmasked", is_flag=True, help="Keep the values under keys such as api_key too.")
def command(
    file: str,
    url: str,
    key: Key | None,
    namespace: str,
    types: frozenset[SignalType],
    trace: str | None,
    neuron: str | None,
    seconds: float | None,
    megabytes: float | None,
    force: bool,
    unmasked: bool,
) -> int:
    """Write every Signal of a namespace to FILE as it passes, until Ctrl-C; - is stdout.

    Show it with 'cosmo prism --replay FILE' or 'cosmo doppler --replay FILE'. FILE.gz is
    compressed. Nobody else can read the file. It holds prompts and answers: look at it before you
    send it to somebody. Values under keys such as api_key, token or password are masked.
    """
    if neuron is not None:
        checked_name("--neuron", neuron)
    wanted = SignalFilter(types, trace, neuron)
    settings = RecordingSettings(
        "stdout" if file == _STDOUT else file,
        _opened(file, force),
        __version__,
        compresses=file.endswith(".gz"),
        masks=not unmasked,
        seconds=seconds,
        most_bytes=None if megabytes is None else int(megabytes * _MEGABYTE),
        chosen=_chosen(types, trace, neuron),
    )
    if unmasked:
        say("secrets are not masked: whoever gets this recording gets them too")
    ended_by = asyncio.run(Recording(url, namespace, wanted, settings, say, key).run())
    return 130 if ended_by == signal.SIGINT else 0


def _opened(file: str, force: bool) -> BinaryIO:
    """Return the open file.

    Raises:
        UsageError: It exists, and shall not be replaced.
        OSError: It cannot be written.
    """
    if file == _STDOUT:
        return os.fdopen(os.dup(1), "wb", buffering=0)
    try:
        return new_file(file, replaces=force)
    except FileExistsError:
        raise click.UsageError(f"{file} exists: choose another name, or --force") from None


def _chosen(types: frozenset[SignalType], trace: str | None, neuron: str | None) -> str:
    parts = [f"--type {each}" for each in sorted(types)]
    parts += [f"--trace {trace}"] * (trace is not None)
    parts += [f"--neuron {neuron}"] * (neuron is not None)
    return " ".join(parts)
