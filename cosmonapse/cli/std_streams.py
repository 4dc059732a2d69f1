"""The three standard streams of `cosmo`: closed, full, or without a reader."""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import os
import sys
from collections.abc import Callable
from typing import TextIO

import click

_LAST_STANDARD = 2
_SIZE = (80, 24)
_route: Callable[[str, int], None] | None = None
_UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})


def prepare() -> bool:
    """Occupy the descriptors of closed streams; return whether there is a stdout.

    A socket must never get one of them: text for stderr would go to a peer, and libuv aborts the
    process when it closes such a descriptor.
    """
    was_open = sys.stdout is not None
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _LAST_STANDARD:
        pass
    os.close(descriptor)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115  # it stays open to the end
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that knows ASCII only
    return was_open


def route_complaints(route: Callable[[str, int], None] | None) -> None:
    """Let `complain` hand its lines on, with the level of a log; None: it prints them again."""
    global _route
    _route = route


def complain(line: str, level: int = logging.INFO) -> None:
    """Print a line on stderr, as far as it accepts one; or log it, where everything is logged."""
    if _route is not None:
        _route(line, level)
        return
    try:
        click.echo(line, err=True)
    except (OSError, ValueError):
        _discard_rest_of(sys.stderr)


def terminal_size() -> tuple[int, int]:
    """Return columns and rows of the terminal of stdout, as they are now."""
    try:
        columns, rows = os.get_terminal_size(sys.stdout.fileno())
    except (OSError, ValueError):
        return _SIZE
    return columns or _SIZE[0], rows or _SIZE[1]


def discard_rest() -> None:
    """Send the buffered rest of stdout nowhere: the interpreter would fail on it at its exit."""
    _discard_rest_of(sys.stdout)


def _discard_rest_of(stream: TextIO) -> None:
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def reason_of(error: BaseException) -> str:
    """Return the text about an error of the operating system."""
    if not isinstance(error, OSError) or error.strerror is None:
        return str(error) or type(error).__name__
    if error.filename is not None:
        return f"{error.strerror}: {error.filename!r}"
    what = "cannot write the output: " if error.errno in _UNWRITABLE else ""
    return f"{what}{error.strerror}"
