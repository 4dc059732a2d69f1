"""The address and the input of `cosmo dispatch`: arguments, text, JSON, stdin or a file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ..tasks import context_ref_in
from .options import read_json

_NO_NEURON = (
    'name a neuron: cosmo dispatch NEURON "text"; `cosmo registry` lists them; '
    "or give --capabilities"
)
_NO_INPUT = 'the input is missing: write "text", JSON, - for stdin or @FILE after the neuron'
_EMPTY = "the input is empty: give text or JSON"


def place(
    words: Sequence[str], neuron: str | None, is_addressed: bool, has_input: bool
) -> tuple[str | None, str | None]:
    """Return the neuron and the input that stand in the arguments; None for one that does not.

    Args:
        words: The arguments without options, in order.
        neuron: The neuron of `--neuron`, if it is given.
        is_addressed: Whether options name the destination; then only the input may follow.
        has_input: Whether `--input` is given; then no input may follow.

    Raises:
        UsageError: There are too many, or there is no destination.
    """
    left = list(words)
    if not is_addressed:
        if not left:
            raise click.UsageError(_NO_NEURON)
        neuron = left.pop(0)
    text = left.pop(0) if left and not has_input else None
    if left:
        raise click.UsageError(
            f"unexpected argument {left[0]!r}: put a text of several words in quotes, and give "
            "neuron and input once each"
        )
    return neuron, text


def input_of(text: str | None) -> Any:
    """Return the input that an argument stands for.

    `-` is read from stdin, `@FILE` from a file. What begins with `{` or `[` is JSON; other text
    becomes `{"prompt": text}`.

    Raises:
        UsageError: There is none.
        BadParameter: It is empty, invalid JSON, or cannot be read.
    """
    if text is None:
        raise click.UsageError(_NO_INPUT)
    text = _read(text)
    if not text.strip():
        raise click.BadParameter(_EMPTY)
    if not text.lstrip().startswith(("{", "[")):
        return {"prompt": text.removesuffix("\n")}
    try:
        return read_json(text)
    except click.BadParameter as error:
        raise click.BadParameter(
            f"{error.message}; for text that begins so use it as the prompt of such an object"
        ) from None


def input_option(context: click.Context, option: click.Parameter, text: str | None) -> Any:
    """Return the value behind `--input`: JSON, here or in stdin (`-`) or a file (`@FILE`).

    Raises:
        BadParameter: It is invalid JSON, or cannot be read.
    """
    return None if text is None else read_json(_read(text))


def context_ref_option(context: click.Context, option: click.Parameter, text: str | None) -> Any:
    """Return the value behind `--context-ref`: a text, or JSON that begins with `{` or `[`.

    Raises:
        BadParameter: It is empty, or invalid JSON.
    """
    try:
        return None if text is None else context_ref_in(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _read(text: str) -> str:
    if text != "-" and not text.startswith("@"):
        return text
    try:
        if text == "-":
            return sys.stdin.buffer.read().decode()
        return Path(text[1:]).read_text("utf-8")
    except AttributeError:
        raise click.BadParameter("there is no stdin to read: give the text instead of -") from None
    except OSError as error:
        raise click.BadParameter(f"cannot read {text[1:]!r}: {error.strerror}") from None
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no text in UTF-8: {error}") from None
