"""Tables on a terminal: aligned, and drawn again and again over the one before."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence

import click

from ..doppler.columns import cells, cut
from ..runtime.reachable import when_reachable
from .std_streams import complain, terminal_size

_EVERY_S = 1.0
_HOME, _TO_LINE_END, _TO_SCREEN_END, _CLEAR = "\x1b[H", "\x1b[K", "\x1b[J", "\x1b[2J"


async def show(
    read: Callable[[], Awaitable[str]], verb: str, *, watch: bool, as_lines: bool
) -> None:
    """Print what is read; with `watch` each second anew, over the last one on a terminal.

    Args:
        read: Returns the text; while it watches, a Synapse that is away is waited for.
        verb: The verb that prints all of it, for a terminal with too few lines.
        watch: Whether to go on until it is interrupted.
        as_lines: Whether it is for a program, so that nothing is drawn over.
    """
    redraws = watch and not as_lines and sys.stdout.isatty()
    if redraws:
        click.echo(_CLEAR, nl=False)
    while True:
        text = await (when_reachable(read, complain) if watch else read())
        if redraws:
            click.echo(screen(text, verb), nl=False)
        elif text:
            click.echo(text)
        if not watch:
            return
        await asyncio.sleep(_EVERY_S)


def screen(text: str, verb: str) -> str:
    """Return the text that replaces the contents of the terminal, without a blank moment."""
    columns, rows = terminal_size()
    lines = text.rstrip("\n").split("\n")
    if len(lines) >= rows:
        shown = max(0, rows - 2)
        lines = [*lines[:shown], f"... {len(lines) - shown:,} more; see 'cosmo {verb}'"]
    drawn = "".join(f"{cut(line, columns)}{_TO_LINE_END}\n" for line in lines)
    return f"{_HOME}{drawn}{_TO_SCREEN_END}"


def aligned(rows: Sequence[tuple[str, ...]]) -> str:
    """Return rows as aligned columns."""
    widths = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell + " " * (width - cells(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    )
